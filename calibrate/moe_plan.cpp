#include "moe_plan.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace afford::calibrate {
namespace {

constexpr int weight_rows = 256;  // of a tile
constexpr std::array<MoeTiling, 9> candidates{{{8, MoeShare::none},
                                               {16, MoeShare::none},
                                               {24, MoeShare::none},
                                               {32, MoeShare::none},
                                               {48, MoeShare::none},
                                               {64, MoeShare::none},
                                               {128, MoeShare::tokens},
                                               {128, MoeShare::weights},
                                               {128, MoeShare::both}}};

bool shares_weights(MoeShare share) { return share == MoeShare::weights || share == MoeShare::both; }
bool shares_tokens(MoeShare share) { return share == MoeShare::tokens || share == MoeShare::both; }

/// Tokens and weight tiles that a block or cluster works on.
int covered(const MoeTiling& tiling) { return tiling.columns * (shares_weights(tiling.share) ? 2 : 1); }
int wide(const MoeTiling& tiling) { return shares_tokens(tiling.share) ? 2 : 1; }

/// What one weight tile of every expert takes, in rows of weights or tokens that L2 passes on meanwhile. A
/// tile takes its rows, a used expert no less than its weights take from device memory. Measured on an
/// H200: 8.4 TB/s of L2, 4.5 of memory.
int64_t cost(const std::vector<int>& tokens, const MoeTiling& tiling) {
  constexpr int64_t least = weight_rows * 84 / 45;
  int64_t rows = 0;
  for (const int count : tokens) {
    const int tiles = (count + covered(tiling) - 1) / covered(tiling);
    if (tiles > 0)
      rows += std::max<int64_t>(least,
                                static_cast<int64_t>(tiles) * (weight_rows + covered(tiling) / wide(tiling)));
  }
  return rows;
}

/// Blocks of K of `tiles` from number `first` on, in equal ranges over the blocks; a cut next to a tile's end
/// moves there.
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
      const int64_t tile = at / k_blocks_, begin = tile * k_blocks_, stop = std::min(end, begin + k_blocks_);
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
      const auto after = [&](int64_t at) { return std::upper_bound(cuts_.begin(), cuts_.end(), at); };
      segment.parts = static_cast<int>(
          std::distance(after(begin), std::lower_bound(cuts_.begin(), cuts_.end(), begin + k_blocks_)));
    }
  }

  const std::vector<MoeTile>& tiles_;
  size_t first_;
  int k_blocks_;
  std::vector<int64_t> cuts_;
};

}  // namespace

MoeTiling choose_tiling(const std::vector<int>& tokens) {
  return *std::min_element(candidates.begin(), candidates.end(),
                           [&](const auto& a, const auto& b) { return cost(tokens, a) < cost(tokens, b); });
}

std::vector<MoeTile> make_tiles(const std::vector<int>& tokens, int weight_tiles, const MoeTiling& tiling) {
  const int high = covered(tiling);
  std::vector<MoeTile> tiles;
  int first_row = 0;
  for (int expert = 0; expert < static_cast<int>(tokens.size()); ++expert) {
    const int count = tokens[static_cast<size_t>(expert)];
    for (int tile = 0; tile < weight_tiles; tile += wide(tiling))
      for (int row = 0; row < count; row += high)
        tiles.push_back({expert, tile, first_row + row, std::min(high, count - row)});
    first_row += count;
  }
  return tiles;
}

MoeSchedule deal_tiles(const std::vector<MoeTile>& tiles, int k_blocks, int blocks, int split_cost) {
  const int count = static_cast<int>(tiles.size()), rest = count % blocks;
  const bool split = rest > 0 && (blocks - rest) * k_blocks > split_cost * blocks;
  // The last full round is split along with the rest: the ranges are then longer than a tile.
  const int whole = split ? std::max(0, count / blocks - 1) * blocks : count;
  const int used = whole > 0 ? blocks : split ? std::clamp(count * k_blocks / split_cost, 1, blocks) : count;
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
