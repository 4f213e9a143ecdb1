#pragma once
// What prompts take, as a record.

#include <string>
#include <vector>

#include "report/record.hpp"
#include "study/prefill.hpp"

namespace afford {

[[nodiscard]] Record<study::Prefill> prefill_record();
[[nodiscard]] std::vector<std::string> notes_on(const study::Prefills& prefills,
                                                const study::PrefillRequest& request);

}  // namespace afford
