#include "layer/drawn_experts.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <random>
#include <vector>

#include "calibration/operation_work.hpp"

namespace afford {
namespace {

// calibrate/moe_plan.cpp: 256 weight rows a tile; memory takes 8.4 / 4.5 of what L2 takes for a
// row, the tensor cores 4.5 rows a column.
constexpr std::array<double, 8> columns{8, 16, 24, 32, 48, 64, 128, 256};
constexpr double weight_rows = 256, from_memory = weight_rows * 8.4 / 4.5, per_column = 4.5;
/// Layers drawn for a mean: with four GPUs of twelve experts and two tiles each or three, where the
/// mean of the busiest moves most, 1 % from the mean of a thousand.
constexpr int drawn_layers = 64;

/// Tokens of an expert that every one of `tokens` visits with probability `share`.
class TokenDraw {
 public:
  TokenDraw(double tokens, double share) {
    double sum = 0;
    for (std::int64_t count = 0; static_cast<double>(count) <= tokens; ++count) {
      const auto n = static_cast<double>(count);
      const double rest = tokens - n;
      const double log_ways = std::lgamma(tokens + 1) - std::lgamma(n + 1) - std::lgamma(rest + 1);
      const double log_chance =
          log_ways + (n > 0 ? n * std::log(share) : 0) + (rest > 0 ? rest * std::log1p(-share) : 0);
      sum += std::exp(log_chance);
      at_most_.push_back(sum);
    }
  }
  /// The same on every platform: a standard engine, its upper 53 bits as a fraction.
  double operator()() {
    const double fraction = static_cast<double>(bits_() >> 11) * 0x1p-53 * at_most_.back();
    const auto found = std::upper_bound(at_most_.begin(), at_most_.end(), fraction);
    return static_cast<double>(std::distance(at_most_.begin(), found));
  }

 private:
  std::vector<double> at_most_;  // the chance of so many tokens or fewer
  std::mt19937_64 bits_;
};

/// Experts that the kernel works through one after another: how many with how many tokens.
struct ExpertShare {
  double experts = 0, tokens = 0;
};
using ExpertPhase = std::vector<ExpertShare>;

/// One GPU's experts, the fullest's where they do not divide, those without a token left out.
ExpertPhase routed_phase(double experts, TokenDraw& draw) {
  std::map<double, double> by_tokens;
  for (auto left = static_cast<std::int64_t>(std::ceil(experts)); left > 0; --left) {
    const double tokens = draw();
    if (tokens > 0) ++by_tokens[tokens];
  }
  ExpertPhase phase;
  for (const auto& [tokens, count] : by_tokens) phase.push_back({count, tokens});
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
  DrawnKernel(const DrawnExperts& drawn, const ExpertPhase& routed, const Machine& machine)
      : chip_(*machine.measured),
        l2_share_(machine.engine->runtime.l2),
        curve_(*chip_.find(OperationClass::grouped_gemm, drawn.weights)),
        roofs_{chip_.read, chip_.tensor(drawn.weights)} {
    const bool fp8 = bits_of(drawn.weights) < 9;
    weight_ = fp8 ? 1 + 4.0 / (128 * 128) : 2;
    value_ = fp8 ? 1 + 4.0 / 128 : 2;
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
    const LastRound last = last_round(whole_up(tiles), product.k * value_);
    double seconds = (product.follows ? curve_.follow : curve_.start).base();
    for (const ExpertPhase& phase : phases_) seconds += of_phase(phase, product, last);
    return seconds;
  }
  [[nodiscard]] double value() const { return value_; }

 private:
  /// What the last round of tiles takes beyond its share of the SMs, over all rounds: `idle` with
  /// whole tiles, which the curve's idle shares are of; `kept` as the kernel deals them.
  struct LastRound {
    double idle = 0, kept = 0;
  };
  /// Tiles are cut along K where that costs less (calibrate/moe_plan.cpp: four blocks of 128 B).
  [[nodiscard]] LastRound last_round(double tiles, double bytes_of_k) const {
    constexpr double split_cost = 4 * 128;
    const double idle = idle_tail(tiles, chip_.sms);
    return {idle, std::min(idle, split_cost * chip_.sms / (tiles * bytes_of_k))};
  }

  /// Memory brings the weights once, L2 passes them on for every token tile, and what the last
  /// round takes longer is lost to it; the longer of both overlaps with the tensor cores as reading
  /// does in the curve. A tile's start and end cost its own tokens, not the columns it is padded
  /// to.
  [[nodiscard]] double of_phase(const ExpertPhase& phase, const DrawnProduct& product,
                                const LastRound& last) const {
    const DrawnTiles tiles = drawn_tiles(phase, covered_);
    const double weights = product.outputs * product.k * weight_;
    const double rows = tiles.tiles * covered_, each = tiles.copies / tiles.active;
    const OperationWork work{
        .bytes = tiles.active * weights +
                 tiles.copies * (value_ * product.k + product.result_bytes * product.outputs),
        .flops = 2 * rows * product.outputs * product.k,
        .memory_size = tiles.active * weights / chip_.sms,
        .compute_size = std::max(1.0, each),
        .idle_tail = last.idle,
        .k = product.k * rows / tiles.copies};
    const OperationParts parts = operation_parts(curve_, work, roofs_);
    const double passed = tiles.tiles * tiles_over(product.outputs, weight_rows) *
                          (weight_rows + covered_) * product.k * value_;
    const double l2 = chip_.l2 > 0 ? passed / (l2_share_ * chip_.l2) * (1 + last.kept) : 0;
    return overlapped(std::max(parts.reading, l2), parts.computing, curve_.overlap);
  }

  const ChipTiming& chip_;
  double l2_share_;
  const OperationCurve& curve_;
  OperationRoofs roofs_;
  double weight_ = 1, value_ = 1;  // bytes of a weight, of an activation
  std::vector<ExpertPhase> phases_;
  double covered_ = 8;
};

/// Both products for what one GPU drew.
Seconds drawn_time(const DrawnExperts& drawn, const ExpertPhase& routed, const Machine& machine) {
  if (routed.empty() && !(drawn.shared > 0 && drawn.shared_tokens > 0)) return Seconds(0);
  const DrawnKernel kernel(drawn, routed, machine);
  const double h = drawn.hidden, i = drawn.intermediate;
  // SwiGLU makes one value, quantised, of two outputs; down puts out BF16.
  const double up = kernel.seconds({.outputs = 2 * i, .k = h, .result_bytes = kernel.value() / 2});
  const double down = kernel.seconds({.outputs = h, .k = i, .result_bytes = 2, .follows = true});
  return Seconds(up + down);
}

}  // namespace

DrawnTime drawn_experts_time(const DrawnExperts& drawn, const Machine& machine) {
  if (drawn.experts == 0) {
    const Seconds all = drawn_time(drawn, {}, machine);
    return {all, all};
  }
  TokenDraw draw(drawn.tokens, drawn.share);
  DrawnTime sum;
  for (int layer = 0; layer < drawn_layers; ++layer) {
    Seconds all, slowest;
    for (auto left = static_cast<std::int64_t>(drawn.gpus); left > 0; --left) {
      const Seconds one = drawn_time(drawn, routed_phase(drawn.experts, draw), machine);
      all += one;
      slowest = std::max(slowest, one);
    }
    sum.mean += all / drawn.gpus;
    sum.slowest += slowest;
  }
  return {sum.mean / drawn_layers, sum.slowest / drawn_layers};
}

}  // namespace afford
