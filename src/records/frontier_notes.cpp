#include <fmt/format.h>

#include <algorithm>

#include "records/frontier.hpp"
#include "records/notes.hpp"
#include "records/served.hpp"
#include "records/sweep.hpp"
#include "text/number.hpp"
#include "text/quantity.hpp"

namespace afford {
namespace {

/// 9796080 -> "9,796,080".
std::string grouped(std::uint64_t number) {
  std::string digits = fmt::format("{}", number);
  for (auto at = std::ssize(digits) - 3; at > 0; at -= 3)
    digits.insert(static_cast<size_t>(at), ",");
  return digits;
}

/// "9,796,080 candidates: 2,187,163 feasible, ...".
std::string tally_text(const Tally& t, Seconds tpot_limit) {
  return fmt::format(
      "{} candidates: {} feasible, {} above {}, {} without room in attention memory, {} in FFN "
      "memory",
      grouped(t.tried), grouped(t.feasible), grouped(t.slow), human(tpot_limit),
      grouped(t.attention_memory), grouped(t.ffn_memory));
}

std::string case_name(const study::FrontierCase& c) {
  const std::string name =
      fmt::format("{} at {}", c.prepared->model.name,
                  token_count_text(static_cast<std::int64_t>(c.setting.context)));
  return c.swept.empty() ? name : name + ", " + text_of(c.swept);
}

/// Requests in all, as the rows have them.
std::int64_t batch_of(const Candidate& c, const Space& space) {
  return std::visit([](const auto& d) { return d.batch; }, deployment_of(c, space));
}

std::string point_text(const Candidate& c, const Space& space) {
  return fmt::format(
      "{} ({}) with {} of batch {} in {} micro-batches: {:.2f} ms, {:.0f} tok/s/GPU, {:.3f} "
      "USD/Mtok",
      label(c), study::pools_text(c, space), parallelism(c), batch_of(c, space), c.micro_batches,
      c.goals.tpot_ms, c.goals.tokens_per_gpu_s, c.goals.usd_per_mtok);
}

/// The engines of the points, and what the winners would take under none.
std::string engines_text(const study::Frontiers& frontiers, const std::string& named) {
  std::vector<study::Served> served;
  std::vector<EngineUse> uses;
  for (const study::FrontierResult& result : frontiers.results) {
    for (const study::FrontierPoint& point : result.points) served.push_back(point.served());
  }
  size_t at = 0;
  for (const study::FrontierResult& result : frontiers.results) {
    for (const study::FrontierPoint& point : result.points) {
      if (!point.winner) served[at].ideal.reset();
      const bool afd = point.candidate.way == Way::disaggregated;
      uses.push_back({afd, label(point.candidate), &served[at++]});
    }
  }
  return engine_note(uses, named);
}

/// The best of AFD where everything on one pool won, and the other way round.
std::string other_way_text(const study::FrontierResult& result, const Candidate& take) {
  const BestOfPairs& best = result.found.best;
  const bool afd = take.way == Way::disaggregated;
  const Objective by = result.of->objective;
  const std::optional<Candidate> other = afd ? best.best_colocated(by) : best.best_afd(by);
  if (!other) return "";
  return fmt::format(" The best {}: {}.", afd ? "on one pool" : "AFD",
                     point_text(*other, result.of->space));
}

std::string case_note(const study::FrontierResult& result) {
  const study::FrontierCase& c = *result.of;
  const Explored& found = result.found;
  std::string note =
      fmt::format("{}: {}; {} on the frontier.", case_name(c),
                  tally_text(found.tally, c.setting.tpot_limit), result.points.size());
  if (result.winner) {
    const Candidate& take = result.points[*result.winner].candidate;
    note += fmt::format(" To take: {} on {}.", label(take), study::pools_text(take, c.space));
    note += other_way_text(result, take);
  } else if (found.fastest) {
    note += fmt::format(" Nearest to {}: {}.", human(c.setting.tpot_limit),
                        point_text(*found.fastest, c.space));
  } else {
    const std::vector<Way>& ways = c.space.ways;
    const bool all =
        c.widened.has_value() || std::find(ways.begin(), ways.end(), Way::mixed) != ways.end();
    note += all ? " Nothing fits the memory."
                : " Nothing fits the memory; --ways mixed lays attention out one way and experts "
                  "another.";
  }
  if (c.widened.value_or(false)) note += widened_note;
  if (!found.complete)
    note += fmt::format(" Partial: {} of {} candidates tried.", grouped(found.tally.tried),
                        grouped(found.candidates));
  return note;
}

}  // namespace

std::string frontier_title(Objective objective) {
  if (objective == Objective::interactivity)
    return "Frontier of tokens per second and user against throughput";
  constexpr std::string_view against[] = {"throughput", "cost", "throughput and cost"};
  return fmt::format("Frontier of time per output token against {}",
                     against[static_cast<size_t>(objective)]);
}

std::vector<std::string> notes_on(const study::Frontiers& frontiers,
                                  const study::FrontierRequest& request,
                                  const std::vector<study::FrontierCase>& cases) {
  const std::vector<HardwareSpec>& chips = *cases.front().chips;
  std::vector<std::string> notes = {
      fmt::format("Fidelity: {}; closed form.", study::fidelity_text(chips))};
  if (const std::string note = engines_text(frontiers, request.engine); !note.empty())
    notes.push_back(note);
  for (const study::FrontierResult& result : frontiers.results) notes.push_back(case_note(result));
  if (frontiers.worst_deviation >= 0.0005) {
    notes.push_back(
        fmt::format("Stepped through event by event (afford simulate), no point's TPOT moves by "
                    "more than {:.1f} %.",
                    100 * frontiers.worst_deviation));
  }
  if (const std::string note = what_if_note(request.what_if, request.sweep.front()); !note.empty())
    notes.push_back(note);
  const auto longest = std::max_element(request.contexts.begin(), request.contexts.end());
  for (const study::FrontierCase& each : cases) {
    add_model_notes(notes, each.prepared->model,
                    longest == request.contexts.end() ? 0 : real(*longest));
  }
  if (const study::SweepPoint& point = request.sweep.front();
      !point.empty() && !frontiers.swept_costs.empty()) {
    for (const std::string& line : break_even_texts(frontiers.swept_costs, point.back()))
      notes.push_back("Cheapest for " + line);
    if (point.back().parameter != study::Parameter::price) notes.push_back(prices_text(chips));
  }
  if (!frontiers.complete)
    notes.push_back("Partial: interrupted before every candidate was tried.");
  return notes;
}

std::string why_not_text(const study::FrontierResult& result, const std::string& wanted) {
  using Kind = study::WhyNot::Kind;
  const study::FrontierCase& c = *result.of;
  const study::WhyNot why = study::why_not(result, wanted);
  const std::string start = fmt::format("{}: {}", case_name(c), wanted);
  std::string tried =
      fmt::format("{}, {}.", start, tally_text(result.found.watched.tally, c.setting.tpot_limit));
  switch (why.kind) {
    case Kind::not_in_space:
      return start + " is not in the space searched (chips, --max-gpus, --ways ...).";
    case Kind::on_frontier:
      return fmt::format("{} is on the frontier: {}.", start, point_text(*why.best, c.space));
    case Kind::no_room:
      return tried + " None fits the memory.";
    case Kind::too_slow:
      return fmt::format("{} None meets the TPOT; the fastest: {}.", tried,
                         point_text(*why.best, c.space));
    case Kind::dominated:
      return fmt::format("{}\n  its best:     {}\n  dominated by: {}", tried,
                         point_text(*why.best, c.space), point_text(*why.dominating, c.space));
    case Kind::tied:
      break;
  }
  return tried;
}

}  // namespace afford
