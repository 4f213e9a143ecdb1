#pragma once
// Split-KV schedule of a decode attention: which block reads which tiles of which sequence. Host
// code without CUDA, so that it is tested everywhere.

#include <vector>

namespace afford::calibrate {

/// Consecutive tiles of one unit (a request and KV head) that one block works on.
struct Segment {
  int unit = 0;
  int first_tile = 0, tiles = 0;
  int length = 0;  // KV rows from the first tile to the end of the unit
  int partial =
      -1;  // slot of its partial result; -1: the block has the whole unit and writes the output
};

/// A unit that several blocks share: its partial results stand in consecutive slots.
struct Split {
  int unit = 0, first_partial = 0, partials = 0;
};

struct Schedule {
  std::vector<Segment> segments;
  std::vector<int> block_begin;  // segments of block b: [block_begin[b], block_begin[b + 1])
  std::vector<Split> splits;     // those of most parts first
  int partials = 0;

  [[nodiscard]] int blocks() const { return static_cast<int>(block_begin.size()) - 1; }
};

struct ScheduleRule {
  int tile_rows = 64;
  int blocks = 132;         // at most; one per multiprocessor
  int min_tiles = 4;        // of a piece, where a unit is cut: bounds what combining costs
  double segment_cost = 1;  // start and end of a segment, in tiles
  double tolerance = 0.05;  // that the fullest block has more, to cut less
};

/// Gives every block its share of tiles, in the order of the units. Units stay whole or in equal
/// pieces where the fullest block then has little more than if they were cut wherever a block is
/// full. Lengths are KV rows, each at least 1.
[[nodiscard]] Schedule make_schedule(const std::vector<int>& lengths, const ScheduleRule& rule);

/// What combines the units of few parts.
struct FewParts {
  int most = 16;   // parts of a unit
  int blocks = 1;  // that work on a unit
};

/// How many of the first splits are better combined by many threads an output than by one: all,
/// where their parts are many or they are too few to fill the device; in a mix of lengths those of
/// the long requests.
[[nodiscard]] int units_of_many_parts(const Schedule& schedule, const FewParts& few);

/// Every unit of `schedule` as `tiles` units, its query tiles: neighbouring blocks do the same
/// parts of them, so that they read the same rows at about the same time, all but one from the L2
/// cache.
[[nodiscard]] Schedule for_query_tiles(const Schedule& schedule, int tiles);

}  // namespace afford::calibrate
