#pragma once
#include <fmt/core.h>

#include "spec/ffn/count.hpp"
#include "spec/keys.hpp"
#include "spec/limits.hpp"

namespace afford {

/// One MLP for every token. Gated (SwiGLU and its like: three matrices) or not (squared ReLU, GELU:
/// two).
struct Dense {
  std::int64_t intermediate = 0;
  bool gated = true;

  static constexpr std::string_view kind = "dense";
  static constexpr auto keys() {
    return std::to_array<Key<Dense>>(
        {keys::whole<&Dense::intermediate>("intermediate", limits::width),
         keys::flag<&Dense::gated>("gated"), keys::format<Dense>(keys::weights)});
  }
};

[[nodiscard]] inline FfnCount count(const Dense& f) {
  return {.mlps = {{.role = MlpRole::dense, .intermediate = f.intermediate, .gated = f.gated}}};
}

[[nodiscard]] inline std::string text(const Dense& f) {
  return fmt::format("dense {}{}", f.intermediate, f.gated ? "" : ", no gate");
}

}  // namespace afford
