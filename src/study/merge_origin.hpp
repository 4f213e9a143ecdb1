#pragma once
// What the rows of a CSV of afford pareto say of the search that they come from.

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "search/frontier.hpp"
#include "study/merge_row.hpp"

namespace afford::study {

/// The columns a merge decides by.
struct MergeKeys {
  size_t model, context, tpot, tokens, usd, verdict, winner, number, candidate, objective,
      tpot_limit, shard, complete, search, rows;
  size_t ttft, ttft_limit;  // beyond the last one where prompts do not count
};

/// Part I of N.
struct Part {
  std::int64_t index = 1, of = 1;
  auto operator<=>(const Part&) const = default;
};

/// What a file says of itself in every row.
struct Origin {
  std::string file;
  Part part;
  std::string search;
  std::int64_t rows = 0;  // of the whole file
  Objective objective = Objective::throughput;
  double tpot_limit_ms = 0;
};

/// Of a header that has every column.
[[nodiscard]] MergeKeys merge_keys(const std::vector<std::string>& header);

inline constexpr std::int64_t most_merged_rows = std::int64_t{1} << 60;

/// Throws InputError for what no search says of itself.
[[nodiscard]] Origin origin_at(const RowAt& at, const MergeKeys& keys);

/// The same search as in the file that came first; what differs most tellingly is named. Throws
/// InputError.
void require_same_search(const Origin& origin, const Origin& first, const RowAt& at,
                         const MergeKeys& keys);

/// Of a deployment that is said to be feasible. Throws InputError.
void require_within_limits(const RowAt& at, const MergeKeys& keys, double tpot_limit_ms);

}  // namespace afford::study
