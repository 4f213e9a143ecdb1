#include <fmt/format.h>

#include <algorithm>

#include "records/frontier.hpp"
#include "records/notes.hpp"
#include "records/outside.hpp"
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

/// "50 ms", "50 ms or 2 s to the first token".
std::string limits_text(const study::FrontierCase& c) {
  const std::string tpot = human(c.setting.tpot_limit);
  if (!c.space.requests || !c.space.requests->ttft_limit) return tpot;
  return fmt::format("{} or {} to the first token", tpot, human(*c.space.requests->ttft_limit));
}

/// "9,796,080 candidates: 2,187,163 feasible, ...".
std::string tally_text(const Tally& t, const study::FrontierCase& c) {
  return fmt::format(
      "{} candidates: {} feasible, {} above {}, {} without room in attention memory, {} in FFN "
      "memory",
      grouped(t.tried), grouped(t.feasible), grouped(t.slow), limits_text(c),
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

std::string point_text(const Candidate& c, const study::FrontierCase& of) {
  return fmt::format(
      "{} ({}) with {} of batch {} in {} micro-batches{}: {:.2f} ms, {:.0f} tok/s/GPU, {:.3f} "
      "USD/Mtok",
      label(c), study::pools_text(c, of.space), parallelism(c), batch_of(c, of.space),
      c.micro_batches, prompts_text(c, of), c.goals.tpot_ms, c.goals.tokens_per_gpu_s,
      c.goals.usd_per_mtok);
}

/// The best of each way to have prompts worked off, a note each.
void add_best_of_forms(std::vector<std::string>& notes, const study::FrontierResult& result) {
  constexpr std::string_view names[] = {"AFD with prompts apart", "co-located with prompts apart",
                                        "prompts beside tokens"};
  for (size_t i = 0; i < result.found.forms.size(); ++i) {
    if (const std::optional<Candidate>& best = result.found.forms[i])
      notes.push_back(fmt::format("Best {}: {}.", names[i], point_text(*best, *result.of)));
  }
}

/// What the figures of a search with prompts mean.
std::string requests_note(const study::FrontierCase& c) {
  const WholeRequests& r = *c.space.requests;
  return fmt::format(
      "Requests of {} tokens in{}, {} out: tokens/s/GPU and USD/Mtok (the whole bill by output "
      "tokens) count what works off the prompts. P:D is its accelerators by those that decode, all "
      "busy; no prompt waits for another. Prompts run under {}. afford plan sizes both for "
      "requests "
      "that come by chance.",
      token_count_text(static_cast<std::int64_t>(r.prompt)),
      r.hit_rate > 0 ? fmt::format(" ({:.4g} % of them cached)", 100 * r.hit_rate) : "",
      token_count_text(static_cast<std::int64_t>(r.output)), c.setting.engine.name);
}

/// The engines of the points, and what the winners would take under none.
std::string engines_text(const study::Frontiers& frontiers, const std::string& named) {
  std::vector<study::Served> served;
  std::vector<EngineUse> uses;
  for (const study::FrontierResult& result : frontiers.results) {
    for (const study::FrontierPoint& point : result.points) served.push_back(point.served);
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
                     point_text(*other, *result.of));
}

std::string case_note(const study::FrontierResult& result) {
  const study::FrontierCase& c = *result.of;
  const Explored& found = result.found;
  std::string note = fmt::format("{}: {}; {} on the frontier.", case_name(c),
                                 tally_text(found.tally, c), result.points.size());
  if (result.winner) {
    const Candidate& take = result.points[*result.winner].candidate;
    note += fmt::format(" To take: {} on {}{}.", label(take), study::pools_text(take, c.space),
                        prompts_text(take, c));
    if (!c.space.requests) note += other_way_text(result, take);
  } else if (found.fastest) {
    note += fmt::format(" Nearest to {}: {}.", limits_text(c), point_text(*found.fastest, c));
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

std::string frontier_title(const study::FrontierRequest& request) {
  const std::string_view prompts = request.requests ? ", prompts counted" : "";
  if (request.objective == Objective::interactivity)
    return fmt::format("Frontier of tokens per second and user against throughput{}", prompts);
  constexpr std::string_view against[] = {"throughput", "cost", "throughput and cost"};
  return fmt::format("Frontier of time per output token against {}{}",
                     against[static_cast<size_t>(request.objective)], prompts);
}

std::vector<std::string> notes_on(const study::Frontiers& frontiers,
                                  const study::FrontierRequest& request,
                                  const std::vector<study::FrontierCase>& cases) {
  const std::vector<HardwareSpec>& chips = *cases.front().chips;
  std::vector<std::string> notes = {
      fmt::format("Fidelity: {}; closed form.", study::fidelity_text(chips))};
  if (const std::string note = engines_text(frontiers, request.engine); !note.empty())
    notes.push_back(note);
  if (request.requests) notes.push_back(requests_note(cases.front()));
  for (const study::FrontierResult& result : frontiers.results) {
    notes.push_back(case_note(result));
    add_best_of_forms(notes, result);
  }
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
  if (!frontiers.complete) notes.emplace_back(interrupted_note);
  return notes;
}

std::string why_not_text(const study::FrontierResult& result, const std::string& wanted) {
  using Kind = study::WhyNot::Kind;
  const study::FrontierCase& c = *result.of;
  const study::WhyNot why = study::why_not(result, wanted);
  const std::string start = fmt::format("{}: {}", case_name(c), wanted);
  std::string tried = fmt::format("{}, {}.", start, tally_text(result.found.watched.tally, c));
  switch (why.kind) {
    case Kind::not_in_space:
      return fmt::format("{} is not in the space searched: {}.", start, outside_reason(c, wanted));
    case Kind::on_frontier:
      return fmt::format("{} is on the frontier: {}.", start, point_text(*why.best, c));
    case Kind::no_room:
      return tried + " None fits the memory.";
    case Kind::too_slow:
      return fmt::format("{} None meets the {}; the fastest: {}.", tried,
                         c.space.requests ? "limits" : "TPOT", point_text(*why.best, c));
    case Kind::dominated:
      return fmt::format("{}\n  its best:     {}\n  dominated by: {}", tried,
                         point_text(*why.best, c), point_text(*why.dominating, c));
    case Kind::tied:
      break;
  }
  return tried;
}

namespace {

const Goals* best_of(const Found& found) {
  const std::vector<Candidate>& points = found.frontier.points();
  const std::ptrdiff_t at = winner(points, found.objective);
  return at < 0 ? nullptr : &points[static_cast<size_t>(at)].goals;
}

}  // namespace

bool ahead(const Found& a, const Found& b) {
  const Goals *of_a = best_of(a), *of_b = best_of(b);
  if (of_a == nullptr || of_b == nullptr) return of_a != nullptr;
  return counts_money(a.objective) ? of_a->usd_per_mtok < of_b->usd_per_mtok
                                   : of_a->tokens_per_gpu_s > of_b->tokens_per_gpu_s;
}

std::string found_so_far(const Found& found) {
  const Goals* best = best_of(found);
  if (best == nullptr) return "nothing feasible so far";
  const std::string value = counts_money(found.objective)
                                ? fmt::format("{:.3f} USD/Mtok", best->usd_per_mtok)
                                : fmt::format("{:.0f} tokens/s/GPU", best->tokens_per_gpu_s);
  return fmt::format("best so far {} at {:.1f} ms, {} points from {:.1f} ms", value, best->tpot_ms,
                     found.frontier.points().size(), found.frontier.points().front().goals.tpot_ms);
}

}  // namespace afford
