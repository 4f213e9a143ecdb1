#pragma once
// What an import made of a published config, in words.

#include <string>
#include <vector>

#include "import/import.hpp"
#include "spec/model.hpp"

namespace afford {

/// What was counted, and out of which keys; `context` in tokens, for the size of the cache.
[[nodiscard]] std::string import_text(const ModelSpec& model,
                                      const std::vector<config::KeyNote>& notes,
                                      std::int64_t context);

}  // namespace afford
