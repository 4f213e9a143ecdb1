#pragma once
// Points of a frontier as the contract's record, the ones people see, notes, and the picture; out
// of a search or out of its merged files.

#include <span>
#include <string>
#include <vector>

#include "report/gnuplot.hpp"
#include "report/record.hpp"
#include "study/frontier.hpp"
#include "study/merge.hpp"

namespace afford {

/// `point`: any of the sweep's, for its columns.
[[nodiscard]] Record<study::FrontierPoint> frontier_record(const study::SweepPoint& point);
/// The columns of the request's rows: those, and of prompts where they count.
[[nodiscard]] Record<study::FrontierPoint> frontier_record(const study::FrontierRequest& request);
/// Of a search in which prompts count.
[[nodiscard]] Record<study::FrontierPoint> prompt_columns();
/// ", prompts on h20:1x8, P:D 0.31, first token after 812 ms"; empty where prompts do not count.
[[nodiscard]] std::string prompts_text(const Candidate& candidate, const study::FrontierCase& of);

/// A row of the CSV that is no candidate: study::interrupted_mark or study::nothing_found_mark.
struct FrontierRowMark {
  std::string_view verdict;
  bool complete = true;
  std::uint64_t rows = 0;
};
/// It says of which search and part it is, for `merge`; the other cells are empty.
[[nodiscard]] std::vector<Cell> mark_row(const std::vector<Column>& columns,
                                         const study::FrontierCase& of,
                                         const FrontierRowMark& mark);

/// The merged points in the columns of their files.
[[nodiscard]] Table table_of(const study::Merged& merged);

/// What a picture shows of a point, and what its frontier is of.
struct FrontierMark {
  std::string group, model, deployment, attention_chip, ffn_chip;
  std::int64_t context = 0;
  Goals goals;
  bool winner = false;
  double tpot_low_ms = 0, tpot_high_ms = 0;  // its 90 % interval; 0: not known
};
[[nodiscard]] std::vector<FrontierMark> marks_of(const study::Frontiers& frontiers);
[[nodiscard]] std::vector<FrontierMark> marks_of(const study::Merged& merged);

/// Points of each frontier that people see.
inline constexpr size_t frontier_rows_shown = 12;

/// Keeps the rows of at most `most` points of each group, evenly, with the first, the last and the
/// winner among them; a note says how many. `marks` are those of the rows.
[[nodiscard]] Table thinned(const Table& table, std::span<const FrontierMark> marks, size_t most);

/// "best so far 2412 tokens/s/GPU at 49.9 ms, 36 points from 10.8 ms", of a search that goes on.
[[nodiscard]] std::string found_so_far(const Found& found);
/// Whether the best of `a` is better than that of `b`, or there is one of `a` alone.
[[nodiscard]] bool ahead(const Found& a, const Found& b);

/// The limit is where the search ended.
[[nodiscard]] Chart frontier_picture(std::span<const FrontierMark> marks, Objective objective,
                                     double tpot_limit_ms);

/// The frontiers of a run, or in a sweep the cost of every pair of chips that is cheapest
/// somewhere.
[[nodiscard]] Chart picture_of(const study::Frontiers& frontiers,
                               const study::FrontierRequest& request);

/// "Frontier of time per output token against throughput", and whether prompts count.
[[nodiscard]] std::string frontier_title(const study::FrontierRequest& request);

/// Of a search that did not come to its end.
constexpr std::string_view interrupted_note =
    "Partial: interrupted before every candidate was tried.";

/// What the run rests on, what became of each case, how the events differ, break-even points.
[[nodiscard]] std::vector<std::string> notes_on(const study::Frontiers& frontiers,
                                                const study::FrontierRequest& request,
                                                const std::vector<study::FrontierCase>& cases);

/// Why the watched label is not on the frontier: no candidate bears it, none is feasible, or a
/// better one stands there.
[[nodiscard]] std::string why_not_text(const study::FrontierResult& result,
                                       const std::string& label);

}  // namespace afford
