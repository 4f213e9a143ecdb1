#include "study/uneven_experts.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "calibration/operation_work.hpp"

namespace afford::study {
namespace {

// calibrate/moe_plan.cpp: 256 weight rows a tile; memory takes 8.4 / 4.5 of what L2 takes for a
// row, the tensor cores 4.5 rows a column.
constexpr std::array<double, 8> columns{8, 16, 24, 32, 48, 64, 128, 256};
constexpr double weight_rows = 256, from_memory = weight_rows * 8.4 / 4.5, per_column = 4.5;

/// The chance of 0, 1, .. tokens, of so many with probability `share` each.
std::vector<double> binomial(double tokens, double share) {
  std::vector<double> chances;
  for (std::int64_t count = 0; static_cast<double>(count) <= tokens; ++count) {
    const auto n = static_cast<double>(count);
    const double log_ways =
        std::lgamma(tokens + 1) - std::lgamma(n + 1) - std::lgamma(tokens - n + 1);
    const double rest = tokens - n;
    const double log_chance =
        log_ways + (n > 0 ? n * std::log(share) : 0) + (rest > 0 ? rest * std::log1p(-share) : 0);
    chances.push_back(std::exp(log_chance));
  }
  return chances;
}

/// What all experts together are expected to ask for with tiles of so many columns.
struct Tiles {
  double cost = 0, padded = 0,
         through_l2 = 0;  // the kernel's estimate; token rows; rows through L2
};

Tiles tiles_of(const DrawnExperts& drawn, const std::vector<double>& chances, double covered) {
  Tiles all;
  const auto add = [&](double experts, double tokens) {
    if (!(tokens > 0)) return;
    const double tiles = std::ceil(tokens / covered), rows = tiles * (weight_rows + covered);
    all.cost += experts * std::max({from_memory, rows, tiles * covered * per_column});
    all.padded += experts * tiles * covered;
    all.through_l2 += experts * rows;
  };
  for (size_t n = 1; n < chances.size(); ++n)
    add(drawn.experts * chances[n], static_cast<double>(n));
  add(drawn.shared, drawn.shared_tokens);
  return all;
}

Tiles chosen_tiles(const DrawnExperts& drawn, const std::vector<double>& chances) {
  Tiles best;
  for (const double covered : columns) {
    const Tiles tiles = tiles_of(drawn, chances, covered);
    const bool better = best.padded == 0 || tiles.cost < best.cost ||
                        (tiles.cost == best.cost && tiles.through_l2 < best.through_l2);
    if (better) best = tiles;
  }
  return best;
}

}  // namespace

Seconds drawn_experts_time(const DrawnExperts& drawn, const Machine& machine) {
  const ChipTiming& chip = *machine.measured;
  const OperationCurve& curve = *chip.find(OperationClass::grouped_gemm, drawn.weights);
  const OperationRoofs roofs{chip.read, chip.tensor(drawn.weights)};
  const std::vector<double> chances = binomial(drawn.tokens, drawn.share);
  const double padded = chosen_tiles(drawn, chances).padded;
  const double active = drawn.experts * (1 - chances.front()) + drawn.shared;
  const double copies =
      drawn.experts * drawn.share * drawn.tokens + drawn.shared * drawn.shared_tokens;
  const bool fp8 = bits_of(drawn.weights) < 9;
  const double weight = fp8 ? 1 + 4.0 / (128 * 128) : 2, value = fp8 ? 1 + 4.0 / 128 : 2;
  const double h = drawn.hidden, i = drawn.intermediate, each = copies / active;
  const double up_bytes = active * weight * 2 * i * h + copies * value * (h + i);
  const double down_bytes = active * weight * i * h + copies * (value * i + 2 * h);
  const auto product = [&](double bytes, double outputs, double k) {
    return GroupedGemm{.bytes = bytes,
                       .flops = 2 * padded * outputs * k,
                       .tokens = each,
                       .tiles = active * grouped_tiles(each, outputs).tiles,
                       .k = k};
  };
  const OperationWork up = work_of(product(up_bytes, 2 * i, h), chip.sms);
  OperationWork down = work_of(product(down_bytes, h, i), chip.sms);
  down.follows = true;
  return Seconds(operation_seconds(curve, up, roofs) + operation_seconds(curve, down, roofs));
}

}  // namespace afford::study
