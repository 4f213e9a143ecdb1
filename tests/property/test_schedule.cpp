#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "schedule.hpp"

using namespace afford::calibrate;

TEST_SUITE_BEGIN("property");

namespace {

int tiles_of(int length, const ScheduleRule& rule) {
  return (length + rule.tile_rows - 1) / rule.tile_rows;
}

std::vector<int> random_lengths(std::mt19937& random, int units) {
  std::uniform_real_distribution<double> octaves(0, 16);
  std::vector<int> lengths(static_cast<size_t>(units));
  for (int& length : lengths) length = static_cast<int>(std::exp2(octaves(random)));
  return lengths;
}

/// Tiles of the busiest block, and a tile for each segment's start and end.
double busiest(const Schedule& schedule, const ScheduleRule& rule) {
  double most = 0;
  for (int block = 0; block < schedule.blocks(); ++block) {
    double load = 0;
    for (int i = schedule.block_begin[static_cast<size_t>(block)];
         i < schedule.block_begin[static_cast<size_t>(block) + 1]; ++i)
      load += schedule.segments[static_cast<size_t>(i)].tiles + rule.segment_cost;
    most = std::max(most, load);
  }
  return most;
}

void check_cover(const Schedule& schedule, const std::vector<int>& lengths,
                 const ScheduleRule& rule) {
  std::vector<int> next(lengths.size(), 0);
  for (const Segment& segment : schedule.segments) {
    const auto unit = static_cast<size_t>(segment.unit);
    REQUIRE(segment.first_tile == next[unit]);
    REQUIRE(segment.tiles >= 1);
    REQUIRE(segment.length == lengths[unit] - segment.first_tile * rule.tile_rows);
    next[unit] += segment.tiles;
  }
  for (size_t unit = 0; unit < lengths.size(); ++unit)
    REQUIRE(next[unit] == tiles_of(lengths[unit], rule));
}

void check_partials(const Schedule& schedule) {
  std::vector<int> writers(static_cast<size_t>(schedule.partials), 0);
  for (const Segment& segment : schedule.segments)
    if (segment.partial >= 0) ++writers.at(static_cast<size_t>(segment.partial));
  CHECK(std::all_of(writers.begin(), writers.end(), [](int n) { return n == 1; }));
  int combined = 0, before = schedule.partials;
  for (const auto& split : schedule.splits) {
    CHECK(split.partials >= 2);
    CHECK(split.partials <= before);
    before = split.partials;
    combined += split.partials;
  }
  CHECK(combined == schedule.partials);
}

}  // namespace

TEST_CASE("a schedule covers every tile once, in blocks as many as allowed") {
  std::mt19937 random(7);  // NOLINT: the same every time
  for (int trial = 0; trial < 300; ++trial) {
    const int units = 1 + static_cast<int>(random() % 600);
    const std::vector<int> lengths = random_lengths(random, units);
    const ScheduleRule rule{.tile_rows = trial % 2 == 0 ? 64 : 128,
                            .blocks = trial % 3 == 0 ? 78 : 132};
    const Schedule schedule = make_schedule(lengths, rule);
    CAPTURE(trial);
    CHECK(schedule.blocks() <= rule.blocks);
    CHECK(schedule.block_begin.back() == static_cast<int>(schedule.segments.size()));
    check_cover(schedule, lengths, rule);
    check_partials(schedule);
  }
}

TEST_CASE("the busiest block has little more than its share") {
  std::mt19937 random(8);  // NOLINT: the same every time
  for (int trial = 0; trial < 100; ++trial) {
    const std::vector<int> lengths = random_lengths(random, 64 + trial);
    const ScheduleRule rule;
    const Schedule schedule = make_schedule(lengths, rule);
    double all = 0;
    for (const int length : lengths) all += tiles_of(length, rule);
    const double share =
        (all + rule.segment_cost * static_cast<double>(schedule.segments.size())) / rule.blocks;
    CAPTURE(trial);
    CHECK(busiest(schedule, rule) <= 1.1 * share + rule.min_tiles + rule.segment_cost);
  }
}

TEST_CASE("one long sequence is spread over all blocks, a short one is not cut") {
  const ScheduleRule rule;
  CHECK(make_schedule({65536}, rule).blocks() > 100);
  CHECK(make_schedule({65536}, rule).blocks() <= rule.blocks);
  const Schedule one = make_schedule({64}, rule);
  CHECK(one.blocks() == 1);
  CHECK(one.splits.empty());
}

TEST_CASE("units are in equal pieces where that costs the fullest block less than a twentieth") {
  const ScheduleRule rule;
  const Schedule quarters = make_schedule(std::vector<int>(32, 8064), rule);
  CHECK(quarters.blocks() == 128);
  CHECK(quarters.segments.size() == 128);  // 33 tiles with the cost of a segment; 32 cut anywhere
  // 40 tiles in fifths, 36 cut anywhere; 65 and 49.
  CHECK(make_schedule(std::vector<int>(24, 12288), rule).segments.size() > 132);
  CHECK(make_schedule(std::vector<int>(96, 4096), rule).segments.size() > 132);
}

TEST_CASE("in a mix of lengths the long requests alone are combined by many threads an output") {
  const ScheduleRule rule;
  std::vector<int> lengths(127, 2048);
  lengths.push_back(65536);
  const Schedule mixed = make_schedule(lengths, rule);
  REQUIRE(mixed.splits.size() > 8);
  CHECK(units_of_many_parts(mixed, {16, 16}) == 1);
  CHECK(mixed.splits.front().unit == 127);
  CHECK(mixed.splits.front().partials > 16);
  const Schedule few = make_schedule({65536, 65536}, rule);
  CHECK(units_of_many_parts(few, {16, 16}) == 2);
  const Schedule eighths = make_schedule(std::vector<int>(16, 65536), rule);
  CHECK(eighths.partials == 16 * 8);  // enough units to fill the device, each of few parts
  CHECK(units_of_many_parts(eighths, {16, 16}) == 0);
  CHECK(units_of_many_parts(eighths, {4, 16}) == 16);
  CHECK(units_of_many_parts(eighths, {16, 1}) == 16);  // of few heads, which leave the device idle
  CHECK(units_of_many_parts(make_schedule(std::vector<int>(100, 8192), rule), {16, 16}) == 0);
  CHECK(units_of_many_parts(make_schedule({64}, rule), {16, 16}) == 0);
}

TEST_CASE("query tiles read the same rows in neighbouring blocks") {
  std::mt19937 random(11);  // NOLINT: the same every time
  for (const int tiles : {1, 2, 4, 8}) {
    const std::vector<int> lengths = random_lengths(random, 90);
    const ScheduleRule rule{.blocks = 132 / tiles};
    const Schedule heads = make_schedule(lengths, rule), all = for_query_tiles(heads, tiles);
    CAPTURE(tiles);
    std::vector<int> each;
    for (const int length : lengths) each.insert(each.end(), static_cast<size_t>(tiles), length);
    REQUIRE(all.blocks() == heads.blocks() * tiles);
    check_cover(all, each, rule);
    check_partials(all);
    for (int block = 0; block < all.blocks(); ++block) {
      const auto first = static_cast<size_t>(all.block_begin[static_cast<size_t>(block)]),
                 of_head =
                     static_cast<size_t>(heads.block_begin[static_cast<size_t>(block / tiles)]);
      CHECK(all.segments[first].unit == heads.segments[of_head].unit * tiles + block % tiles);
      CHECK(all.segments[first].first_tile == heads.segments[of_head].first_tile);
    }
    for (const auto& split : all.splits) {
      for (const Segment& segment : all.segments) {
        if (segment.unit != split.unit) continue;
        CHECK(segment.partial >= split.first_partial);
        CHECK(segment.partial < split.first_partial + split.partials);
      }
    }
  }
}

TEST_SUITE_END();
