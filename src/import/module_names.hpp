#pragma once
// The modules that hold a part's weights, under the names checkpoints give them.

#include <cstdint>
#include <vector>

#include "import/draft.hpp"
#include "import/patterns.hpp"

namespace afford::config {

/// The projections of one attention layer built as `part` says, on `hidden` numbers.
[[nodiscard]] std::vector<Module> attention_modules(const Part& part, std::int64_t hidden);

/// The matrices of one dense FFN; of all routed experts; of the shared experts (none without).
[[nodiscard]] std::vector<Module> dense_modules(const Part& part, std::int64_t hidden);
[[nodiscard]] std::vector<Module> routed_modules(const Part& part, std::int64_t hidden);
[[nodiscard]] std::vector<Module> shared_modules(const Part& part, std::int64_t hidden);

}  // namespace afford::config
