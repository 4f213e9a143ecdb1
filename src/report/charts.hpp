#pragma once
// The pictures of the study verbs, as gnuplot scripts. Each takes plain points in drawing order.

#include <cstdint>
#include <string>
#include <vector>

#include "report/gnuplot.hpp"

namespace afford {

/// Bars of attention and FFN cost by model and chip, one panel per context (the report's Figure 2).
struct CostBar {
  std::string model, chip;
  std::int64_t context = 0;
  double attention_usd_per_mtok = 0, ffn_usd_per_mtok = 0;
};
[[nodiscard]] Chart cost_bars(const std::vector<CostBar>& bars);

/// Cost of one way to serve a model.
struct CostPoint {
  std::string model;
  std::int64_t context = 0;
  double active_params = 0, afd_usd_per_mtok = 0, single_usd_per_mtok = 0;
};
/// Cost against activated parameters, one panel per context (Figure 1).
[[nodiscard]] Chart cost_by_active_params(const std::vector<CostPoint>& points);
/// Cost against context, one line per model (Figure 3).
[[nodiscard]] Chart cost_by_context(const std::vector<CostPoint>& points);
/// Cheapest AFD pair beside cheapest single chip, one panel per context.
[[nodiscard]] Chart afd_against_single(const std::vector<CostPoint>& points);

/// Attention FLOPs against cache bytes of a token, with the chips' ridges as lines (Figure 5).
struct IntensityPoint {
  std::string model;
  std::int64_t context = 0;
  double kv_bytes = 0, flops = 0;
};
struct RidgeLine {
  std::string chip;
  double flops_per_byte = 0;
};
[[nodiscard]] Chart intensity_map(const std::vector<IntensityPoint>& points,
                                  const std::vector<RidgeLine>& ridges);

}  // namespace afford
