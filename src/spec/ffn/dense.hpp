#pragma once
#include <fmt/core.h>

#include "spec/ffn/count.hpp"
#include "spec/keys.hpp"
#include "spec/limits.hpp"

namespace afford {

/// One MLP for every token. Gated (SwiGLU and its like: three matrices) or not (squared ReLU, GELU:
/// two). Where layers share its weights, each may add a low-rank product of its own to gate and up
/// (Zamba2).
struct Dense {
  std::int64_t intermediate = 0;
  std::int64_t adapter_rank = 0;  // 0: none
  bool gated = true;

  static constexpr std::string_view kind = "dense";
  static constexpr auto keys() {
    return std::to_array<Key<Dense>>(
        {keys::whole<&Dense::intermediate>("intermediate", limits::width),
         keys::optional_whole<&Dense::adapter_rank>("adapter_rank", limits::width),
         keys::flag<&Dense::gated>("gated"), keys::format<Dense>(keys::weights)});
  }
};

[[nodiscard]] inline FfnCount count(const Dense& f) {
  return {.mlps = {{.role = MlpRole::dense, .intermediate = f.intermediate, .gated = f.gated}},
          .adapter = f.adapter_rank};
}

[[nodiscard]] inline std::string text(const Dense& f) {
  return fmt::format("dense {}{}{}", f.intermediate, f.gated ? "" : ", no gate",
                     f.adapter_rank > 0 ? fmt::format(" + rank {}", f.adapter_rank) : "");
}

}  // namespace afford
