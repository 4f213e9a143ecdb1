#pragma once
// What every study starts from: models and chips by name, contexts, and what is assumed of them.

#include <set>
#include <string>
#include <vector>

#include "count/decode.hpp"
#include "error.hpp"
#include "load/library.hpp"
#include "spec/hardware.hpp"
#include "spec/model.hpp"
#include "spec/overrides.hpp"

namespace afford::study {

/// A price instead of the chip file's.
struct Price {
  std::string chip;
  UsdRate rate;
  std::string stated;            // as the user wrote it: "h800=1.6"
  std::string source = "given";  // what explanations name as its source
};

/// What is assumed instead of what the files say.
struct WhatIfs {
  FormatOverrides formats;
  Speculation speculation;
  std::vector<Price> prices;
};

/// Nothing tells two models of one name apart, or two chips. Throws ValueError.
template <class Spec>
void require_distinct(const std::vector<Spec>& specs, const std::string& option) {
  std::set<std::string> names;
  for (const Spec& spec : specs) {
    if (!names.insert(spec.name).second)
      throw ValueError(option, ": " + spec.name + " a second time");
  }
}

/// The models with the formats asked for. Throws InputError or UsageError, ValueError for two of
/// one name; `left_out` as load_models() has it.
[[nodiscard]] std::vector<ModelSpec> load_models_as(const std::vector<std::string>& names,
                                                    const FormatOverrides& formats,
                                                    LeftOut* left_out = nullptr);

/// Every price must name one of the chips. Throws ValueError.
void apply_prices(const std::vector<HardwareSpec*>& chips, const std::vector<Price>& prices);

/// Throws ValueError for fewer drafts than none, more than 16, or an acceptance that is no
/// probability.
void check(const Speculation& speculation);

}  // namespace afford::study
