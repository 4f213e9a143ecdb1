#pragma once
// The parts of a sharded search joined: the frontier of the frontiers is the frontier of the whole.

#include <string>
#include <vector>

#include "search/frontier.hpp"

namespace afford::study {

/// A row of any of the files, its goals read, its cells kept as they stand.
struct MergedPoint : Scored {
  std::vector<std::string> cells;  // by the header
  std::string group;               // model, context and swept values: what one frontier is of
  bool winner = false;
};

struct Merged {
  std::vector<std::string> header;
  std::vector<MergedPoint> points;  // frontier by frontier, in the order of the cases
  Objective objective = Objective::throughput;
  double tpot_limit_ms = 0;
  bool partial = false;  // a part was interrupted
  size_t files = 0;

  /// The text of a point in a column; empty where the files have no such column.
  [[nodiscard]] std::string text(const MergedPoint& point, std::string_view key) const;
};

/// The CSV files of the parts. Throws InputError for what a file says, UsageError for parts
/// that are missing or of different searches.
[[nodiscard]] Merged merge(const std::vector<std::string>& files);

}  // namespace afford::study
