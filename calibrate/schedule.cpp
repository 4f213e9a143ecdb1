#include "schedule.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <utility>

namespace afford::calibrate {
namespace {

/// Fills blocks with segments, none loaded beyond `cap` tiles (costs of segments included).
class Filler {
 public:
  Filler(const std::vector<int>& lengths, const ScheduleRule& rule, double cap)
      : lengths_(lengths), rule_(rule), cap_(cap) {
    schedule_.block_begin.push_back(0);
  }

  /// Units in equal pieces, as few as the cap allows, each put whole into a block.
  [[nodiscard]] Schedule in_equal_pieces() {
    for (size_t unit = 0; unit < lengths_.size(); ++unit) {
      const int tiles = tiles_of(unit),
                pieces = static_cast<int>(std::ceil(tiles / (cap_ - rule_.segment_cost)));
      for (int piece = 0, tile = 0; piece < pieces; ++piece) {
        const int end = static_cast<int>(static_cast<long long>(tiles) * (piece + 1) / pieces);
        if (room() < end - tile) close();
        add(unit, tile, end - tile);
        tile = end;
      }
    }
    return finish();
  }

  /// Blocks filled to the cap, one after another, units cut where a block is full.
  [[nodiscard]] Schedule to_the_brim() {
    for (size_t unit = 0; unit < lengths_.size(); ++unit) {
      for (int tile = 0, tiles = tiles_of(unit); tile < tiles;) {
        const int rest = tiles - tile;
        if (room() < std::min(rest, rule_.min_tiles)) close();
        const int piece = std::min(rest, static_cast<int>(room()));
        add(unit, tile, piece);
        tile += piece;
      }
    }
    return finish();
  }

 private:
  [[nodiscard]] int tiles_of(size_t unit) const {
    return (lengths_[unit] + rule_.tile_rows - 1) / rule_.tile_rows;
  }
  [[nodiscard]] double room() const { return cap_ - load_ - rule_.segment_cost; }
  void add(size_t unit, int tile, int tiles) {
    schedule_.segments.push_back(
        {static_cast<int>(unit), tile, tiles, lengths_[unit] - tile * rule_.tile_rows, -1});
    load_ += tiles + rule_.segment_cost;
  }
  void close() {
    if (load_ > 0) schedule_.block_begin.push_back(static_cast<int>(schedule_.segments.size()));
    load_ = 0;
  }
  [[nodiscard]] Schedule finish() {
    close();
    return std::move(schedule_);
  }

  const std::vector<int>& lengths_;
  const ScheduleRule& rule_;
  double cap_;
  double load_ = 0;
  Schedule schedule_;
};

void sort_by_parts(std::vector<Split>& splits) {
  std::stable_sort(splits.begin(), splits.end(),
                   [](const Split& a, const Split& b) { return a.partials > b.partials; });
}

void number_partials(Schedule& schedule) {
  for (size_t i = 0; i < schedule.segments.size();) {
    size_t end = i + 1;
    while (end < schedule.segments.size() &&
           schedule.segments[end].unit == schedule.segments[i].unit)
      ++end;
    if (end - i > 1) {
      schedule.splits.push_back(
          {schedule.segments[i].unit, schedule.partials, static_cast<int>(end - i)});
      for (size_t s = i; s < end; ++s) schedule.segments[s].partial = schedule.partials++;
    }
    i = end;
  }
  sort_by_parts(schedule.splits);
}

}  // namespace

namespace {

using Fill = Schedule (Filler::*)();

/// A schedule and the load of its fullest block.
struct Filled {
  Schedule schedule;
  double cap = 0;
};
/// Of the least cap, to a quarter of a tile, for which the blocks suffice. `least`: no cap is less.
Filled with_least_cap(const std::vector<int>& lengths, const ScheduleRule& rule, double least,
                      Fill fill) {
  const auto filled = [&](double cap) { return (Filler(lengths, rule, cap).*fill)(); };
  double low = least, high = least;
  while (filled(high).blocks() > rule.blocks) high *= 2;
  while (high - low > 0.25) {
    const double cap = 0.5 * (low + high);
    (filled(cap).blocks() > rule.blocks ? low : high) = cap;
  }
  return {filled(high), high};
}

}  // namespace

Schedule make_schedule(const std::vector<int>& lengths, const ScheduleRule& rule) {
  double tiles = 0;
  for (const int length : lengths)
    tiles += (length + rule.tile_rows - 1) / rule.tile_rows + rule.segment_cost;
  const double least = std::max(tiles / rule.blocks, rule.min_tiles + rule.segment_cost);
  Filled equal = with_least_cap(lengths, rule, least, &Filler::in_equal_pieces);
  Filled full = with_least_cap(lengths, rule, least, &Filler::to_the_brim);
  const bool few_cuts = equal.cap <= full.cap * (1 + rule.tolerance);
  Schedule schedule = std::move(few_cuts ? equal.schedule : full.schedule);
  number_partials(schedule);
  return schedule;
}

int units_of_many_parts(const Schedule& schedule, const FewParts& few) {
  constexpr int least_blocks = 128;
  const auto& splits = schedule.splits;
  const auto units = static_cast<int>(splits.size());
  if (units * few.blocks < least_blocks) return units;
  const auto first = std::find_if(splits.begin(), splits.end(),
                                  [&](const Split& split) { return split.partials <= few.most; });
  return static_cast<int>(first - splits.begin());
}

Schedule for_query_tiles(const Schedule& schedule, int tiles) {
  Schedule all{
      .segments = {}, .block_begin = {0}, .splits = {}, .partials = schedule.partials * tiles};
  std::map<int, Split> split_of;
  for (const Split& split : schedule.splits) {
    split_of[split.unit] = split;
    for (int t = 0; t < tiles; ++t)
      all.splits.push_back({split.unit * tiles + t,
                            split.first_partial * tiles + t * split.partials, split.partials});
  }
  for (size_t block = 0; block + 1 < schedule.block_begin.size(); ++block) {
    for (int t = 0; t < tiles; ++t) {
      for (int s = schedule.block_begin[block]; s < schedule.block_begin[block + 1]; ++s) {
        Segment segment = schedule.segments[static_cast<size_t>(s)];
        if (segment.partial >= 0) {
          const Split& split = split_of.at(segment.unit);
          segment.partial += split.first_partial * (tiles - 1) + t * split.partials;
        }
        segment.unit = segment.unit * tiles + t;
        all.segments.push_back(segment);
      }
      all.block_begin.push_back(static_cast<int>(all.segments.size()));
    }
  }
  return all;
}

}  // namespace afford::calibrate
