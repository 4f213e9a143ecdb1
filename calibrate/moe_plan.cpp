#include "moe_plan.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <tuple>

namespace afford::calibrate {
namespace {

constexpr std::array<MoeTiling, 8> candidates{
    {{8}, {16}, {24}, {32}, {48}, {64}, {128}, {128, true}}};

/// Tokens that a block, or the two of a cluster, work on.
int covered(const MoeTiling& tiling) { return tiling.columns * (tiling.pairs ? 2 : 1); }

/// Time and L2 traffic of one weight tile of every expert, in rows that L2 passes on.
struct Cost {
  double time = 0, rows = 0;
};

/// A used expert takes what its 256 rows of weights take from device memory, or what its tiles
/// take: each the rows of weights and tokens through L2, or the tensor cores' work on its columns,
/// padding included. Measured on an H200: 4.5 TB/s of memory, 8.4 of L2; the time of 4.5 rows a
/// column in FP8 (1 PFLOP/s).
Cost cost_of(const std::vector<int>& tokens, const MoeTiling& tiling) {
  constexpr double weight_rows = 256, from_memory = weight_rows * 8.4 / 4.5, per_column = 4.5;
  Cost cost;
  for (const int count : tokens) {
    if (count == 0) continue;
    const double tiles = std::ceil(static_cast<double>(count) / covered(tiling)),
                 rows = tiles * (weight_rows + covered(tiling));
    cost.rows += rows;
    cost.time += std::max({from_memory, rows, tiles * covered(tiling) * per_column});
  }
  return cost;
}

/// Blocks of K of `tiles` from number `first` on, in equal ranges over the blocks; a cut next to a
/// tile's end moves there.
class Ranges {
 public:
  Ranges(const std::vector<MoeTile>& tiles, size_t first, int k_blocks, int blocks)
      : tiles_(tiles), first_(first), k_blocks_(k_blocks) {
    const auto all = static_cast<int64_t>(tiles.size() - first) * k_blocks;
    for (int block = 0; block <= blocks; ++block) cuts_.push_back(snapped(all * block / blocks));
  }
  /// Adds the segments of a block's range.
  void deal(int block, MoeSchedule& schedule) const {
    const int64_t end = cuts_[static_cast<size_t>(block) + 1];
    for (int64_t at = cuts_[static_cast<size_t>(block)]; at < end;) {
      const int64_t tile = at / k_blocks_, begin = tile * k_blocks_,
                    stop = std::min(end, begin + k_blocks_);
      MoeSegment segment{tiles_[first_ + static_cast<size_t>(tile)], static_cast<int>(at - begin),
                         static_cast<int>(stop - begin)};
      number(segment, begin, schedule.slots);
      schedule.segments.push_back(segment);
      at = stop;
    }
  }

 private:
  static constexpr int least = 2;  // blocks of K on either side of a cut

  [[nodiscard]] int64_t snapped(int64_t cut) const {
    const int64_t inside = cut % k_blocks_;
    if (inside < least) return cut - inside;
    if (k_blocks_ - inside < least) return cut - inside + k_blocks_;
    return cut;
  }
  /// The first segment of a split tile finishes it; the others, dealt out after it, fill the slots.
  void number(MoeSegment& segment, int64_t begin, int& slots) const {
    if (segment.first_k > 0) {
      segment.slot = slots++;
    } else if (segment.end_k < k_blocks_) {
      segment.slot = slots;
      const auto after = [&](int64_t at) {
        return std::upper_bound(cuts_.begin(), cuts_.end(), at);
      };
      segment.parts = static_cast<int>(std::distance(
          after(begin), std::lower_bound(cuts_.begin(), cuts_.end(), begin + k_blocks_)));
    }
  }

  const std::vector<MoeTile>& tiles_;
  size_t first_;
  int k_blocks_;
  std::vector<int64_t> cuts_;
};

}  // namespace

MoeTiling choose_tiling(const std::vector<int>& tokens) {
  return *std::min_element(candidates.begin(), candidates.end(), [&](const auto& a, const auto& b) {
    const Cost x = cost_of(tokens, a), y = cost_of(tokens, b);
    return std::tie(x.time, x.rows) < std::tie(y.time, y.rows);
  });
}

std::vector<MoeTile> make_tiles(const std::vector<int>& tokens, int weight_tiles,
                                const MoeTiling& tiling) {
  const int high = covered(tiling);
  std::vector<MoeTile> tiles;
  int first_row = 0;
  for (int expert = 0; expert < static_cast<int>(tokens.size()); ++expert) {
    const int count = tokens[static_cast<size_t>(expert)];
    for (int tile = 0; tile < weight_tiles; ++tile)
      for (int row = 0; row < count; row += high)
        tiles.push_back({expert, tile, first_row + row, std::min(high, count - row)});
    first_row += count;
  }
  return tiles;
}

MoeSchedule deal_tiles(const std::vector<MoeTile>& tiles, int k_blocks, int blocks,
                       int split_cost) {
  const int count = static_cast<int>(tiles.size()), rest = count % blocks;
  const bool split = rest > 0 && (blocks - rest) * k_blocks > split_cost * blocks;
  // The last full round is split along with the rest: the ranges are then longer than a tile.
  const int whole = split ? std::max(0, count / blocks - 1) * blocks : count;
  const int busy = whole > 0 ? blocks
                   : split   ? std::min(count * k_blocks / split_cost, blocks)
                             : count;
  const int used = std::max(busy, 1);
  const Ranges ranges(tiles, static_cast<size_t>(whole), k_blocks, used);
  MoeSchedule schedule;
  schedule.begin.push_back(0);
  for (int block = 0; block < used; ++block) {
    for (int tile = block; tile < whole; tile += blocks)
      schedule.segments.push_back({tiles[static_cast<size_t>(tile)], 0, k_blocks});
    if (split) ranges.deal(block, schedule);
    schedule.begin.push_back(static_cast<int>(schedule.segments.size()));
  }
  return schedule;
}

}  // namespace afford::calibrate
