// Which points of a frontier people see, and the picture of them.

#include <fmt/format.h>

#include <algorithm>

#include "records/frontier.hpp"
#include "records/sweep.hpp"
#include "report/frontier_chart.hpp"
#include "text/number.hpp"

namespace afford {
namespace {

using Point = study::FrontierPoint;

std::string group_of(const Point& p) {
  std::string group = fmt::format("{}|{}", p.of->prepared->model.name, p.of->setting.context);
  for (const study::SweptValue& value : p.of->swept) group += fmt::format("|{}", value.number);
  return group;
}

double end_of(const study::Served& served, double Interval::*end) {
  return served.interval.known() ? served.interval.*end * served.tpot / millisecond : 0;
}

}  // namespace

std::vector<FrontierMark> marks_of(const study::Frontiers& frontiers) {
  std::vector<FrontierMark> marks;
  for (const study::FrontierResult& result : frontiers.results) {
    for (const Point& p : result.points) {
      marks.push_back({.group = group_of(p),
                       .model = p.of->prepared->model.name,
                       .deployment = label(p.candidate),
                       .attention_chip = p.attention_chip().name,
                       .ffn_chip = p.ffn_chip().name,
                       .context = static_cast<std::int64_t>(p.of->setting.context),
                       .goals = p.candidate.goals,
                       .winner = p.winner,
                       .tpot_low_ms = end_of(p.served, &Interval::low),
                       .tpot_high_ms = end_of(p.served, &Interval::high)});
    }
  }
  return marks;
}

std::vector<FrontierMark> marks_of(const study::Merged& merged) {
  std::vector<FrontierMark> marks;
  for (const study::MergedPoint& point : merged.points) {
    const auto number = [&](std::string_view key) {
      return parse_real(merged.text(point, key)).value_or(0);
    };
    marks.push_back({.group = point.group,
                     .model = merged.text(point, "model"),
                     .deployment = merged.text(point, "deployment"),
                     .attention_chip = merged.text(point, "attention_hardware"),
                     .ffn_chip = merged.text(point, "ffn_hardware"),
                     .context = parse_integer(merged.text(point, "context_tokens")).value_or(0),
                     .goals = point.goals,
                     .winner = point.winner,
                     .tpot_low_ms = number("tpot_low_ms"),
                     .tpot_high_ms = number("tpot_high_ms")});
  }
  return marks;
}

Table thinned(const Table& table, std::span<const FrontierMark> marks, size_t most) {
  Table out{.title = table.title, .columns = table.columns, .rows = {}, .notes = table.notes};
  for (size_t first = 0; first < marks.size();) {
    size_t end = first;
    while (end < marks.size() && marks[end].group == marks[first].group) ++end;
    const size_t count = end - first, shown = std::min(count, most);
    const size_t last = std::max<size_t>(1, count - 1);
    for (size_t i = first; i < end; ++i) {
      // Row i is shown when an evenly spaced step ends on it.
      const size_t at = i - first, step = at * (shown - 1) / last;
      const bool steps = at == 0 || step != (at - 1) * (shown - 1) / last;
      if (steps || marks[i].winner) out.rows.push_back(table.rows[i]);
    }
    first = end;
  }
  if (out.rows.size() < table.rows.size()) {
    out.notes.push_back(
        fmt::format("{} of {} points of the frontiers shown; --format csv and json have all.",
                    out.rows.size(), table.rows.size()));
  }
  return out;
}

Chart frontier_picture(std::span<const FrontierMark> marks, Objective objective,
                       double tpot_limit_ms) {
  const bool by_cost = objective == Objective::cost,
             of_user = objective == Objective::interactivity;
  const auto across = [&](double tpot_ms) { return of_user ? 1000 / tpot_ms : tpot_ms; };
  std::vector<FrontierPoint> points;
  for (const FrontierMark& mark : marks) {
    const std::string &a = mark.attention_chip, &f = mark.ffn_chip;
    const bool known = mark.tpot_low_ms > 0 && mark.tpot_high_ms > 0;
    points.push_back({.line = mark.model,
                      .context = mark.context,
                      .x = across(mark.goals.tpot_ms),
                      .value = by_cost ? mark.goals.usd_per_mtok : mark.goals.tokens_per_gpu_s,
                      .low = known ? across(mark.tpot_low_ms) : 0,
                      .high = known ? across(mark.tpot_high_ms) : 0,
                      .winner = mark.winner ? fmt::format("{} {}", mark.deployment,
                                                          a == f ? a : fmt::format("{} + {}", a, f))
                                            : ""});
  }
  return frontier_chart(points, {.x = of_user ? "tokens/s a user" : "time per output token, ms",
                                 .y = by_cost ? "USD per 1M tokens" : "tokens/s a GPU",
                                 .limit = across(tpot_limit_ms),
                                 .logarithmic = by_cost});
}

Chart picture_of(const study::Frontiers& frontiers, const study::FrontierRequest& request) {
  const study::SweepPoint& point = request.sweep.front();
  if (point.empty()) {
    return frontier_picture(marks_of(frontiers), request.objective,
                            request.tpot_limit / millisecond);
  }
  const std::vector<study::SweptCost> costs = study::ever_cheapest(frontiers.swept_costs);
  const bool one_group = std::all_of(costs.begin(), costs.end(), [&](const study::SweptCost& cost) {
    return cost.group == costs.front().group;
  });
  return sweep_picture(costs, point.back(), "USD per 1M tokens, cheapest within the TPOT",
                       one_group ? choice_line : group_and_choice_line);
}

}  // namespace afford
