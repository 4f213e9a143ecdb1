#include "cli/pareto_search.hpp"

#include <algorithm>

#include "cli/interrupt.hpp"
#include "cli/progress.hpp"
#include "records/frontier.hpp"
#include "records/frontier_rows.hpp"
#include "report/output_file.hpp"

namespace afford::cli {

study::Frontiers search_shown(const study::FrontierRequest& request,
                              const std::vector<study::FrontierCase>& cases,
                              const ParetoArgs& args) {
  constexpr std::uint64_t many = 2'000'000;  // candidates that take longer than a look at a few
  const std::atomic<bool>& stop = stop_of(*args.output.host);
  const std::uint64_t total = study::candidates_of(cases, &stop);
  Progress progress(*args.output.host, total);
  Found few;  // what the first look found, until the search has better
  const auto show = [&](const Found& found) {
    progress.show(found.tally.tried, found_so_far(ahead(few, found) ? few : found));
  };
  study::FrontierHooks hooks{.stop = &stop,
                             .tried = show,
                             .first = nullptr,
                             .finished =
                                 [&](std::uint64_t done) {
                                   progress.finish_part(done);
                                   few = Found();
                                 },
                             .describe = nullptr,
                             .write = nullptr,
                             .rows = total,
                             .kept = args.output.host->kept};
  if (progress.on_terminal() && total > many)
    hooks.first = [&](const Found& found) {
      few = found;
      progress.show(0, found_so_far(found));
    };
  if (!args.all) return study::frontiers(request, cases, hooks);
  const auto record = frontier_record(request);
  OutputFile& file = *args.output.to;
  file.write(csv_header(columns_of(record)));
  FrontierRows rows(request);
  hooks.describe = [&](const study::FrontierPoint& p, std::string& out) { rows.write(p, out); };
  hooks.write = [&](const std::string& text) { file.write(text); };
  study::Frontiers found = study::frontiers(request, cases, hooks);
  if (!found.complete) {
    // Rows that have gone out cannot be taken back: the last one says that there should be more.
    const FrontierRowMark mark{study::interrupted_mark, false, std::max<std::uint64_t>(1, total)};
    file.write(csv_row(mark_row(columns_of(record), cases.front(), mark)));
  }
  file.finish();
  return found;
}

}  // namespace afford::cli
