#include <doctest/doctest.h>

#include <cstddef>
#include <numeric>
#include <set>
#include <utility>

#include "moe_plan.hpp"

using namespace afford::calibrate;

namespace {

const std::vector<int> skewed{0, 1, 300, 0, 33, 129, 8, 0};

/// How often each (row, weight tile) is covered, which must be once.
bool covers_once(const std::vector<int>& tokens, int weight_tiles, const MoeTiling& tiling) {
  std::set<std::pair<int, int>> seen;
  for (const MoeTile& tile : make_tiles(tokens, weight_tiles, tiling))
    for (int w = tile.weight_tile; w < tile.weight_tile + (tiling.share == MoeShare::tokens ? 2 : 1); ++w)
      for (int row = tile.first_row; row < tile.first_row + tile.tokens; ++row)
        if (w < weight_tiles && !seen.insert({row, w}).second) return false;
  const int total = std::accumulate(tokens.begin(), tokens.end(), 0);
  return seen.size() == static_cast<size_t>(total) * static_cast<size_t>(weight_tiles);
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("the tiles of a grouped product cover every token and weight once") {
    for (const MoeShare share : {MoeShare::none, MoeShare::weights, MoeShare::tokens})
      for (const int columns : {8, 32, 128}) CHECK(covers_once(skewed, 5, {columns, share}));
  }

  TEST_CASE("a tile holds tokens of one expert, no more than its blocks take") {
    std::vector<int> begin{0};
    for (const int count : skewed) begin.push_back(begin.back() + count);
    for (const MoeTile& tile : make_tiles(skewed, 3, {64, MoeShare::weights})) {
      const auto expert = static_cast<size_t>(tile.expert);
      CHECK(tile.tokens > 0);
      CHECK(tile.tokens <= 128);
      CHECK(tile.first_row >= begin[expert]);
      CHECK(tile.first_row + tile.tokens <= begin[expert + 1]);
    }
  }

  TEST_CASE("token tiles of the same weights are neighbours") {
    const std::vector<MoeTile> tiles = make_tiles({100, 70}, 2, {32, MoeShare::none});
    REQUIRE(tiles.size() == 2 * (4 + 3));
    for (size_t i = 1; i < 4; ++i) CHECK(tiles[i].weight_tile == tiles[0].weight_tile);
    CHECK(tiles[4].weight_tile == 1);
  }

  TEST_CASE("the tile of tokens follows the tokens an expert has") {
    CHECK(choose_tiling({1, 0, 7}).columns == 8);
    CHECK(choose_tiling({16, 12}).columns == 16);
    CHECK(choose_tiling({32, 30, 0, 25}).columns == 32);
    CHECK(choose_tiling({60, 64}).columns == 64);
    CHECK(choose_tiling({128}).share ==
          MoeShare::tokens);  // one token tile: weights have nobody to share with
    CHECK(choose_tiling({256}).share == MoeShare::weights);  // two: the weights, twice as wide, are shared
    CHECK(choose_tiling({1024, 1000}).share == MoeShare::weights);
  }
}
