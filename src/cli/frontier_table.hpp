#pragma once
// The frontier as the contract's table: rows out of a search or out of its CSV files, the rows
// people see, and the picture.

#include <span>

#include "cli/sweep.hpp"
#include "report/frontier_chart.hpp"
#include "search/explore.hpp"

namespace afford::cli {

/// Where a row comes from, besides the candidate itself.
struct FrontierCase {
  size_t number = 0;  // of the case in its run
  const ModelSpec* model = nullptr;
  const Space* space = nullptr;
  const Setting* setting = nullptr;
  const SweepPoint* swept = nullptr;
  Objective objective = Objective::throughput;
  Shard shard;
  bool complete = true;
};

[[nodiscard]] std::vector<Column> frontier_columns(const SweepPoint& swept);
[[nodiscard]] std::vector<Cell> frontier_row(const Candidate& candidate,
                                             const Evaluation& evaluation, const FrontierCase& of);

/// "h20:3x8 + h800:2x8", "h800:4x8".
[[nodiscard]] std::string pools_text(const Candidate& candidate, const Space& space);

/// Keeps of each group of rows (equal in `model`, context and swept columns) at most `most`,
/// evenly, with the first, the last and the winner among them.
[[nodiscard]] Table thinned(const Table& table, size_t most);

/// The picture of all rows; the limit is where the search ended. Throws UsageError for a swept
/// table.
[[nodiscard]] Chart frontier_picture(const Table& table, Objective objective, double tpot_limit_ms);

/// A column's place by its key; the key must exist.
[[nodiscard]] size_t column_of(const Table& table, std::string_view key);

}  // namespace afford::cli
