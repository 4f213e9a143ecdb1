#include "load/spec_kind.hpp"

#include <string_view>
#include <utility>

#include "error.hpp"

namespace afford {

SpecKind spec_kind(const yaml::Node& root, const std::string& file) {
  // An engine has a part 'attention' as a model has, and a part 'memory' as hardware has.
  constexpr std::pair<std::string_view, SpecKind> telling[] = {
      {"curves", SpecKind::calibration}, {"roofs", SpecKind::calibration},
      {"layers", SpecKind::model},       {"peak", SpecKind::hardware},
      {"base", SpecKind::engine},        {"kernels", SpecKind::engine},
      {"kernel", SpecKind::engine},      {"gemm", SpecKind::engine},
      {"attention", SpecKind::model},    {"ffn", SpecKind::model},
      {"memory", SpecKind::hardware}};
  for (const auto& [name, kind] : telling) {
    for (const yaml::Node& key : root.keys) {
      if (key.text == name) return kind;
    }
  }
  throw InputError({file, root.line, root.column},
                   "neither a model (no 'attention', 'ffn', 'layers') nor hardware (no 'peak', "
                   "'memory') nor an engine (no 'base', 'kernels')");
}

}  // namespace afford
