#include "records/replay_picture.hpp"

#include <fmt/format.h>

#include "records/replay.hpp"

namespace afford {
namespace {

std::vector<ReplayLine::Within> shares_within(const Histogram& times) {
  std::vector<ReplayLine::Within> shares;
  if (!(times.weight() > 0)) return shares;
  constexpr int steps = 200;
  for (int i = 1; i < steps; ++i) {
    const double share = static_cast<double>(i) / steps;
    shares.push_back({100 * share, 1e3 * times.quantile(share)});
  }
  return shares;
}

ReplayLine line_of(const study::ReplayRow& row) {
  ReplayLine line{.name = fmt::format("{}, {}", row.label, arrivals_text(row)),
                  .loads = {},
                  .first_tokens = {},
                  .tokens = shares_within(row.replayed.token)};
  if (works_on_prompts(row)) line.first_tokens = shares_within(row.replayed.first_token);
  for (const LoadAt& at : loads_over_time(row))
    line.loads.push_back({at.begin.base(), at.load.in_flight, at.load.waiting,
                          100 * at.load.memory / static_cast<double>(row.instances)});
  return line;
}

}  // namespace

Chart replay_picture(const study::Replays& replays) {
  std::vector<ReplayLine> lines;
  for (const study::ReplayRow& row : replays.rows) lines.push_back(line_of(row));
  return replay_chart(lines);
}

}  // namespace afford
