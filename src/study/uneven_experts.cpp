#include "study/uneven_experts.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <vector>

#include "calibration/operation_work.hpp"

namespace afford::study {
namespace {

// calibrate/moe_plan.cpp: 256 weight rows a tile; memory takes 8.4 / 4.5 of what L2 takes for a
// row, the tensor cores 4.5 rows a column.
constexpr std::array<double, 8> columns{8, 16, 24, 32, 48, 64, 128, 256};
constexpr double weight_rows = 256, from_memory = weight_rows * 8.4 / 4.5, per_column = 4.5;
// Of the L2 roof, what a product reaches whose weights go through L2 once for every token tile.
// Fitted to the 11 pipelines of Step-3's whole experts on two H100 of 2026-11-26, whose experts it
// puts 0.6 % low in the mean; with 0.75 they stand 2.8 % high, with 0.9 2 % low.
constexpr double l2_share = 0.85;

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

/// Experts that the kernel works through one after another: how many with how many tokens.
struct ExpertShare {
  double experts = 0, tokens = 0;
};
using ExpertPhase = std::vector<ExpertShare>;

ExpertPhase routed_phase(const DrawnExperts& drawn) {
  const std::vector<double> chances = binomial(drawn.tokens, drawn.share);
  ExpertPhase phase;
  for (size_t n = 1; n < chances.size(); ++n)
    phase.push_back({drawn.experts * chances[n], static_cast<double>(n)});
  return phase;
}

/// What a phase asks for with tiles of `covered` columns, in experts, tokens and tiles.
struct DrawnTiles {
  double cost = 0;        // the kernel's own estimate of the time
  double through_l2 = 0;  // and of the rows through L2
  double active = 0, copies = 0, tiles = 0;
};

DrawnTiles drawn_tiles(const ExpertPhase& phase, double covered) {
  DrawnTiles all;
  for (const ExpertShare& share : phase) {
    const double tiles = std::ceil(share.tokens / covered), rows = tiles * (weight_rows + covered);
    all.cost += share.experts * std::max({from_memory, rows, tiles * covered * per_column});
    all.through_l2 += share.experts * rows;
    all.active += share.experts;
    all.copies += share.experts * share.tokens;
    all.tiles += share.experts * tiles;
  }
  return all;
}

/// The columns that the kernel chooses for all of it.
double chosen_columns(const ExpertPhase& everything) {
  DrawnTiles best;
  double chosen = 0;
  for (const double covered : columns) {
    const DrawnTiles tiles = drawn_tiles(everything, covered);
    const bool better = chosen == 0 || tiles.cost < best.cost ||
                        (tiles.cost == best.cost && tiles.through_l2 < best.through_l2);
    if (!better) continue;
    best = tiles;
    chosen = covered;
  }
  return chosen;
}

/// Experts with as many tiles each stand together: while one with several is worked on, L2 passes
/// on more than memory brings.
std::map<double, ExpertPhase> by_tile_count(const ExpertPhase& phase, double covered) {
  std::map<double, ExpertPhase> apart;
  for (const ExpertShare& share : phase) apart[std::ceil(share.tokens / covered)].push_back(share);
  return apart;
}

/// The product of every expert of a phase, y[tokens x outputs] = x[tokens x k] W.
struct DrawnProduct {
  double outputs = 0, k = 0;
  double result_bytes = 0;  // of a value
  bool follows = false;
};

/// Experts as one kernel runs them, on one chip.
class DrawnKernel {
 public:
  DrawnKernel(const DrawnExperts& drawn, const Machine& machine)
      : chip_(*machine.measured),
        curve_(*chip_.find(OperationClass::grouped_gemm, drawn.weights)),
        roofs_{chip_.read, chip_.tensor(drawn.weights)} {
    const bool fp8 = bits_of(drawn.weights) < 9;
    weight_ = fp8 ? 1 + 4.0 / (128 * 128) : 2;
    value_ = fp8 ? 1 + 4.0 / 128 : 2;
    const ExpertPhase routed = routed_phase(drawn);
    const bool shares = drawn.shared > 0 && drawn.shared_tokens > 0;
    ExpertPhase everything = routed;
    if (shares) everything.push_back({drawn.shared, drawn.shared_tokens});
    covered_ = chosen_columns(everything);
    for (const auto& [tiles, phase] : by_tile_count(routed, covered_)) phases_.push_back(phase);
    if (shares) phases_.push_back({everything.back()});
  }

  /// One product of all phases, one behind the other. Their tiles share the SMs' last round.
  [[nodiscard]] double seconds(const DrawnProduct& product) const {
    const double blocks = covered_ > 128 ? 2 : 1;
    double tiles = 0;
    for (const ExpertPhase& phase : phases_)
      tiles +=
          drawn_tiles(phase, covered_).tiles * tiles_over(product.outputs, weight_rows) * blocks;
    const double tail = idle_tail(whole_up(tiles), chip_.sms);
    double seconds = (product.follows ? curve_.follow : curve_.start).base();
    for (const ExpertPhase& phase : phases_) seconds += of_phase(phase, product, tail);
    return seconds;
  }
  [[nodiscard]] double value() const { return value_; }

 private:
  /// Device memory and tensor cores overlap as they do in the curve; L2 passes on the weights of
  /// every token tile, and the share of SMs without one is lost to it. A tile's start and end cost
  /// its own tokens, not the columns it is padded to.
  [[nodiscard]] double of_phase(const ExpertPhase& phase, const DrawnProduct& product,
                                double tail) const {
    const DrawnTiles tiles = drawn_tiles(phase, covered_);
    const double weights = product.outputs * product.k * weight_;
    const double rows = tiles.tiles * covered_, each = tiles.copies / tiles.active;
    const OperationWork work{
        .bytes = tiles.active * weights +
                 tiles.copies * (value_ * product.k + product.result_bytes * product.outputs),
        .flops = 2 * rows * product.outputs * product.k,
        .memory_size = tiles.active * weights / chip_.sms,
        .compute_size = std::max(1.0, each),
        .idle_tail = tail,
        .k = product.k * rows / tiles.copies};
    const OperationParts parts = operation_parts(curve_, work, roofs_);
    const double passed = tiles.tiles * tiles_over(product.outputs, weight_rows) *
                          (weight_rows + covered_) * product.k * value_;
    const double l2 = chip_.l2 > 0 ? passed / (l2_share * chip_.l2) * (1 + tail) : 0;
    return std::max(overlapped(parts.reading, parts.computing, curve_.overlap), l2);
  }

  const ChipTiming& chip_;
  const OperationCurve& curve_;
  OperationRoofs roofs_;
  double weight_ = 1, value_ = 1;  // bytes of a weight, of an activation
  std::vector<ExpertPhase> phases_;
  double covered_ = 8;
};

}  // namespace

Seconds drawn_experts_time(const DrawnExperts& drawn, const Machine& machine) {
  const DrawnKernel kernel(drawn, machine);
  const double h = drawn.hidden, i = drawn.intermediate;
  // SwiGLU makes one value, quantised, of two outputs; down puts out BF16.
  const double up = kernel.seconds({.outputs = 2 * i, .k = h, .result_bytes = kernel.value() / 2});
  const double down = kernel.seconds({.outputs = h, .k = i, .result_bytes = 2, .follows = true});
  return Seconds(up + down);
}

}  // namespace afford::study
