#pragma once
// What an import made of a published config, in words.

#include <optional>
#include <string>
#include <vector>

#include "import/import.hpp"
#include "spec/model.hpp"

namespace afford {

/// What was counted, and out of which keys; `context` in tokens, for the size of the cache; the
/// bytes counted against those on disk, where there are some.
struct ImportReport {
  const ModelSpec& model;
  const std::vector<config::KeyNote>& notes;
  std::int64_t context = 0;
  std::optional<config::DiskSize> disk;
};
[[nodiscard]] std::string import_text(const ImportReport& report);

}  // namespace afford
