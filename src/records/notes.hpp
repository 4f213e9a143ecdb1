#pragma once
// The sentences below a table: what its numbers assume and rest on.

#include <string>
#include <string_view>
#include <vector>

#include "study/ideal.hpp"
#include "study/sweep.hpp"

namespace afford {

/// Fidelity, counting, formats chips fall back on, estimated prices, what-ifs: of an ideal study.
[[nodiscard]] std::vector<std::string> notes_on(const study::IdealInputs& inputs,
                                                const study::WhatIfs& what_if);

/// What an import of the model filled in or assumed, and a context beyond its positions; each once.
void add_model_notes(std::vector<std::string>& notes, const ModelSpec& model, double context);

/// "What if: KV in int4; price h800=1.6.", or nothing. What a sweep gives stands in its columns.
[[nodiscard]] std::string what_if_note(const study::WhatIfs& what_if,
                                       const study::SweepPoint& swept = {});

/// Of a search that study::widen() has widened.
inline constexpr std::string_view widened_note =
    " Nothing of afd, ep and tp is feasible: mixed layouts are searched too.";

/// "Prices, USD/h: h800 2.00, 910b 1.00 (estimate)."
[[nodiscard]] std::string prices_text(const std::vector<HardwareSpec>& chips);

}  // namespace afford
