#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "moe_plan.hpp"

using namespace afford::calibrate;

namespace {

const std::vector<int> skewed{0, 1, 300, 0, 33, 129, 8, 0};

/// How often each (row, weight tile) is covered, which must be once.
bool covers_once(const std::vector<int>& tokens, int weight_tiles, const MoeTiling& tiling) {
  std::set<std::pair<int, int>> seen;
  for (const MoeTile& tile : make_tiles(tokens, weight_tiles, tiling))
    for (int row = tile.first_row; row < tile.first_row + tile.tokens; ++row)
      if (!seen.insert({row, tile.weight_tile}).second) return false;
  const int total = std::accumulate(tokens.begin(), tokens.end(), 0);
  return seen.size() == static_cast<size_t>(total) * static_cast<size_t>(weight_tiles);
}

/// Whether every block of K of every tile is in one segment, and every slot is filled once and
/// added once, to the tile it belongs to.
bool sums_once(const std::vector<MoeTile>& tiles, int k_blocks, const MoeSchedule& schedule) {
  using Key = std::tuple<int, int, int>;  // expert, weight tile, first row
  const auto key = [](const MoeTile& tile) {
    return Key{tile.expert, tile.weight_tile, tile.first_row};
  };
  std::map<Key, int> summed;
  std::map<int, Key> filled, added;
  for (const MoeSegment& segment : schedule.segments) {
    summed[key(segment.tile)] += segment.end_k - segment.first_k;
    const bool whole = segment.first_k == 0 && segment.end_k == k_blocks;
    if (whole != (segment.slot < 0)) return false;
    if (segment.first_k > 0 && !filled.insert({segment.slot, key(segment.tile)}).second)
      return false;
    for (int part = 0; part < segment.parts; ++part)
      if (!added.insert({segment.slot + part, key(segment.tile)}).second) return false;
  }
  for (const MoeTile& tile : tiles)
    if (summed[key(tile)] != k_blocks) return false;
  return summed.size() == tiles.size() && filled == added &&
         filled.size() == static_cast<size_t>(schedule.slots);
}

/// Most and fewest blocks of K of a block.
std::pair<int, int> loads(const MoeSchedule& schedule) {
  std::pair<int, int> range{0, 1 << 30};
  for (size_t block = 0; block + 1 < schedule.begin.size(); ++block) {
    int load = 0;
    for (int s = schedule.begin[block]; s < schedule.begin[block + 1]; ++s)
      load += schedule.segments[static_cast<size_t>(s)].end_k -
              schedule.segments[static_cast<size_t>(s)].first_k;
    range = {std::max(range.first, load), std::min(range.second, load)};
  }
  return range;
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("the tiles of a grouped product cover every token and weight once") {
    for (const bool pairs : {false, true})
      for (const int columns : {8, 32, 128}) CHECK(covers_once(skewed, 5, {columns, pairs}));
  }

  TEST_CASE("a tile holds tokens of one expert, no more than its blocks take") {
    std::vector<int> begin{0};
    for (const int count : skewed) begin.push_back(begin.back() + count);
    for (const MoeTile& tile : make_tiles(skewed, 3, {64, true})) {
      const auto expert = static_cast<size_t>(tile.expert);
      CHECK(tile.tokens > 0);
      CHECK(tile.tokens <= 128);
      CHECK(tile.first_row >= begin[expert]);
      CHECK(tile.first_row + tile.tokens <= begin[expert + 1]);
    }
  }

  TEST_CASE("token tiles of the same weights are neighbours") {
    const std::vector<MoeTile> tiles = make_tiles({100, 70}, 2, {32, false});
    REQUIRE(tiles.size() == 2 * (4 + 3));
    for (size_t i = 1; i < 4; ++i) CHECK(tiles[i].weight_tile == tiles[0].weight_tile);
    CHECK(tiles[4].weight_tile == 1);
  }

  TEST_CASE("every block of K is summed once, however the tiles are split") {
    for (const int count : {1, 3, 7, 8, 9, 20, 21, 64})
      for (const int k_blocks : {1, 2, 5, 16, 56})
        for (const int blocks : {1, 8, 10}) {
          CAPTURE(count);
          CAPTURE(k_blocks);
          CAPTURE(blocks);
          const std::vector<MoeTile> tiles = make_tiles({count}, 1, {1, false});
          CHECK(sums_once(tiles, k_blocks, deal_tiles(tiles, k_blocks, blocks)));
        }
  }

  TEST_CASE("tiles that fill no round are split, so that no block idles for long") {
    const std::vector<MoeTile> tiles = make_tiles(std::vector<int>(6, 32), 40, {32, false});
    const auto [most, least] = loads(deal_tiles(tiles, 56, 132));  // 1.8 rounds of 56 blocks of K
    CHECK(most - least <= 4);
    CHECK(most <= 240 * 56 / 132 + 3);
  }

  TEST_CASE("full rounds are left whole, and so is a tail shorter than what splitting costs") {
    CHECK(deal_tiles(make_tiles({264}, 1, {1, false}), 56, 132).slots == 0);
    CHECK(deal_tiles(make_tiles({131}, 1, {1, false}), 56, 132).slots == 0);
    CHECK(deal_tiles(make_tiles({133}, 1, {1, false}), 56, 132).slots > 0);
  }

  TEST_CASE("the tile of tokens follows the tokens an expert has") {
    CHECK(choose_tiling({1, 0, 7}).columns == 8);
    CHECK(choose_tiling({16, 12}).columns == 16);
    CHECK(choose_tiling({32, 30, 0, 25}).columns == 32);
    CHECK(choose_tiling({60, 64}).columns == 64);
    CHECK(choose_tiling({128}).columns == 128);
    CHECK_FALSE(choose_tiling({128}).pairs);  // one token tile has nobody to share weights with
    CHECK(choose_tiling({256}).pairs);
    CHECK(choose_tiling({1024, 1000}).pairs);
    CHECK_FALSE(choose_tiling({300, 290}).pairs);  // every fourth tile would be empty
    CHECK(choose_tiling({8, 9, 10, 8, 9, 252}).columns ==
          64);  // a hot expert alone widens no further
  }
}
