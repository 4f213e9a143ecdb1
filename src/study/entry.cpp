#include "study/entry.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "error.hpp"
#include "load/calibrations.hpp"
#include "load/library.hpp"
#include "load/spec_kind.hpp"
#include "text/suggest.hpp"
#include "yaml/document.hpp"

namespace afford::study {
namespace {

/// What NAME is; a path is what its keys say.
SpecKind kind_of(const std::string& name) {
  std::vector<std::string> all;
  for (const auto& [folder, kind] : {std::pair{"models", SpecKind::model},
                                     {"hardware", SpecKind::hardware},
                                     {"engines", SpecKind::engine}}) {
    const std::vector<std::string> names = names_of(folder);
    if (std::find(names.begin(), names.end(), name) != names.end()) return kind;
    all.insert(all.end(), names.begin(), names.end());
  }
  if (!is_path(name)) {
    throw UsageError(
        fmt::format("no model, hardware or engine named '{}'{}", name, suggestion(name, all)));
  }
  return is_published_config(name) ? SpecKind::model : spec_kind(yaml::parse_file(name), name);
}

}  // namespace

Entry entry(const std::string& name) {
  const SpecKind kind = kind_of(name);
  if (kind == SpecKind::model) return load_model(name);
  if (kind == SpecKind::engine) return load_engine(name);
  std::vector<HardwareSpec> chips = load_hardware({name});
  attach_calibrations(pointers_to(chips), "");
  return std::move(chips.front());
}

}  // namespace afford::study
