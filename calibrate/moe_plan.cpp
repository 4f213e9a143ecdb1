#include "moe_plan.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace afford::calibrate {
namespace {

constexpr int weight_rows = 256;  // of a tile
constexpr std::array<MoeTiling, 6> candidates{{{8, MoeShare::none},
                                               {16, MoeShare::none},
                                               {32, MoeShare::none},
                                               {64, MoeShare::none},
                                               {128, MoeShare::tokens},
                                               {128, MoeShare::weights}}};

int covered(const MoeTiling& tiling) {
  return tiling.share == MoeShare::weights ? 2 * tiling.columns : tiling.columns;
}

/// Rows of weights and tokens that pass from L2 to the blocks for one weight tile of every expert.
int64_t rows_through_l2(const std::vector<int>& tokens, const MoeTiling& tiling) {
  int64_t tiles = 0;
  for (const int count : tokens) tiles += (count + covered(tiling) - 1) / covered(tiling);
  const int weights = weight_rows, columns = covered(tiling);
  return tiles * (weights + (tiling.share == MoeShare::tokens ? columns / 2 : columns));
}

}  // namespace

MoeTiling choose_tiling(const std::vector<int>& tokens) {
  return *std::min_element(candidates.begin(), candidates.end(), [&](const auto& a, const auto& b) {
    return rows_through_l2(tokens, a) < rows_through_l2(tokens, b);
  });
}

std::vector<MoeTile> make_tiles(const std::vector<int>& tokens, int weight_tiles, const MoeTiling& tiling) {
  const int wide = tiling.share == MoeShare::tokens ? 2 : 1, high = covered(tiling);
  std::vector<MoeTile> tiles;
  int first_row = 0;
  for (int expert = 0; expert < static_cast<int>(tokens.size()); ++expert) {
    const int count = tokens[static_cast<size_t>(expert)];
    for (int tile = 0; tile < weight_tiles; tile += wide)
      for (int row = 0; row < count; row += high)
        tiles.push_back({expert, tile, first_row + row, std::min(high, count - row)});
    first_row += count;
  }
  return tiles;
}

}  // namespace afford::calibrate
