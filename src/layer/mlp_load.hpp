#pragma once
// Rows of the MLPs of a layer on one accelerator for so many tokens: routed ones on the busiest
// group, shared and dense ones evenly.

#include <optional>

#include "kernels/mlp.hpp"
#include "layer/experts.hpp"

namespace afford {

struct MlpLoad {
  /// Group 0: experts that tokens are routed to.
  struct Routed {
    ExpertLayout layout;
    bool noise =
        false;  // the busiest group of what tokens choose, not of what they are expected to
    double balance = 1;  // it has at least so many times the mean
    const Placement* known = nullptr;
    Placement placed;  // where none is known
    [[nodiscard]] const Placement& placement() const { return known != nullptr ? *known : placed; }
  };
  /// Every token, or a share of them, in each.
  struct Even {
    size_t group = 1;
    double ways = 1, active = 1, mlps = 1;
  };
  std::optional<Routed> routed;
  std::optional<Even> even;

  [[nodiscard]] GroupRows of(double tokens) const;
};

}  // namespace afford
