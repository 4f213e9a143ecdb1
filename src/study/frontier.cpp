#include "study/frontier.hpp"

#include <fmt/format.h>
#include <tbb/enumerable_thread_specific.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <tuple>

#include "deploy/simulate.hpp"
#include "study/case_searches.hpp"
#include "text/number.hpp"

namespace afford::study {
namespace {

/// How far the event simulation lies from the closed form: layer kinds that differ make bubbles.
double deviation(const FrontierPoint& point) {
  constexpr int steps = 20;
  if (point.candidate.way != Way::disaggregated) return 0;
  const Disaggregated d = disaggregated(point.candidate, point.of->space);
  return std::abs(events_over_closed_form(d, point.evaluation, steps) - 1);
}

/// What a swept cost belongs to, besides the last value swept.
std::string group_of(const FrontierCase& c) {
  const bool context = c.swept.back().parameter == Parameter::context;
  const std::string& model = c.prepared->model.name;
  const std::string group =
      context ? model
              : fmt::format("{} at {}", model,
                            token_count_text(static_cast<std::int64_t>(c.setting.context)));
  const SweepPoint others = others_of(c.swept);
  return others.empty() ? group : group + ", " + text_of(others);
}

/// The cheapest deployment of each pair of chips, for the break-even points of a sweep.
void add_swept_costs(std::vector<SweptCost>& out, const FrontierCase& c, const Explored& found) {
  if (c.swept.empty()) return;
  const auto add = [&](const std::optional<Candidate>& best, const std::string& choice) {
    if (best && !std::isnan(best->goals.usd_per_mtok))
      out.push_back({group_of(c), choice, c.swept.back().number, best->goals.usd_per_mtok});
  };
  const std::vector<HardwareSpec>& chips = *c.chips;
  for (size_t a = 0; a < chips.size(); ++a) {
    add(found.best.colocated(a), chips[a].name + " co-located");
    for (size_t f = 0; f < chips.size(); ++f)
      add(found.best.pair(a, f),
          fmt::format("{} attention with {} FFN", chips[a].name, chips[f].name));
  }
}

/// With its prompts, where they count.
Evaluation evaluation_of(const Candidate& candidate, const Space& space, const Setting& setting) {
  Evaluation evaluation = evaluate(candidate, space, setting);
  if (space.requests) {
    const StepOutcome whole = PromptForms(candidate, space, setting).of(candidate, evaluation);
    static_cast<StepOutcome&>(evaluation) = whole;
  }
  return evaluation;
}

/// A point of another case, at the prices of this one.
void take_prices(FrontierPoint& point, const FrontierCase& c, const Candidate& candidate) {
  point.of = &c;
  point.candidate = candidate;
  point.evaluation.cost = cost_of(candidate, c.space, c.setting);
  point.served.chips.front().chip = &point.attention_chip();
  if (candidate.way == Way::disaggregated) point.served.chips.back().chip = &point.ffn_chip();
}

KnownPoint made_known(const FrontierCase& c, const Candidate& candidate) {
  KnownPoint known{.point =
                       with_served({.of = &c,
                                    .candidate = candidate,
                                    .evaluation = evaluation_of(candidate, c.space, c.setting),
                                    .ideal = evaluation_of(candidate, c.space, c.ideal).tpot})};
  known.deviation = deviation(known.point);
  return known;
}

FrontierResult result_of(const FrontierCase& c, Explored found, KnownPoints& known) {
  FrontierResult out{.of = &c, .found = std::move(found), .points = {}, .winner = {}};
  const auto& frontier = out.found.frontier;
  const std::ptrdiff_t best = winner(frontier.points(), frontier.objective());
  for (const Candidate& candidate : frontier.points()) {
    auto at = known.find(candidate.number);
    const bool priced = at == known.end();
    if (priced) at = known.emplace(candidate.number, made_known(c, candidate)).first;
    FrontierPoint& point = out.points.emplace_back(at->second.point);
    if (!priced) take_prices(point, c, candidate);
    point.complete = out.found.complete;
    out.worst_deviation = std::max(out.worst_deviation, at->second.deviation);
  }
  if (best >= 0) {
    out.winner = static_cast<size_t>(best);
    out.points[*out.winner].winner = true;
  }
  return out;
}

/// What is known of every point at the end only: how many there are, and whether that is all.
void finish_points(Frontiers& frontiers) {
  std::uint64_t rows = 0;
  for (const FrontierResult& result : frontiers.results) rows += result.points.size();
  for (FrontierResult& result : frontiers.results) {
    for (FrontierPoint& point : result.points) {
      point.rows = rows;
      point.complete = frontiers.complete;
    }
  }
}

/// The frontier of a coarse, small part of the space, which takes milliseconds however large the
/// space is.
Found first_look(const FrontierCase& c, const FrontierHooks& hooks) {
  constexpr std::int64_t gpus = 64;
  Space few = c.space;
  few.max_gpus = std::min(few.max_gpus, gpus);
  few.batch_steps = 1;
  return explore(few, c.setting, {.objective = c.objective, .stop = hooks.stop});
}

/// An engine's, which takes no evaluation.
Interval interval_of(const AnyDeployment& deployment, const FrontierPoint& point) {
  const Setting& setting = point.of->setting;
  if (spread_of(deployment, setting).within == 0) return {};
  return afford::interval_of(deployment, setting);
}

/// What of `served` depends on the batch.
void take_batch(FrontierPoint& p) {
  const Candidate& c = p.candidate;
  Served& served = p.served;
  double gpus = real(p.evaluation.gpus);
  if (c.way == Way::disaggregated) {
    const BusyShares busy = busy_shares(p.evaluation, c.micro_batches);
    served.chips[0].busy = busy.attention;
    served.chips[1].busy = busy.ffn;
  }
  if (c.prompts == Prompts::apart) {
    served.chips.back().accelerators = p.whole().prompt_gpus;
    gpus += served.chips.back().accelerators;
  }
  served.tokens = gpus * p.evaluation.tokens_per_gpu;
  served.tpot = p.evaluation.tpot;
  served.ideal = p.ideal;
}

/// Every candidate of a case as a point, for several threads at once. Those of the same pools come
/// to a thread one after another, and share what does not depend on the batch.
class CandidatePoints {
 public:
  CandidatePoints(const FrontierCase& c, std::uint64_t rows) : case_(c), rows_(rows) {}
  /// Until the thread's next call.
  [[nodiscard]] const FrontierPoint& of(const Candidate& candidate, const Evaluation& e) {
    std::optional<FrontierPoint>& point = points_.local();
    if (point && same_but_batch(point->candidate, candidate)) {
      point->candidate = candidate;
      point->evaluation = e;
      take_batch(*point);
    } else {
      point = with_served({.of = &case_, .candidate = candidate, .evaluation = e, .rows = rows_});
    }
    return *point;
  }

 private:
  const FrontierCase& case_;
  std::uint64_t rows_;
  tbb::enumerable_thread_specific<std::optional<FrontierPoint>> points_;
};

}  // namespace

WholeOutcome FrontierPoint::whole() const {
  return whole_outcome(candidate, of->space, of->setting);
}

FrontierPoint with_served(FrontierPoint p) {
  const Candidate& c = p.candidate;
  const AnyDeployment deployment = deployment_of(c, p.of->space);
  std::vector<ChipsUsed> chips;
  chips.reserve(3);
  chips.push_back({&p.attention_chip(), real(c.attention.size())});
  if (c.way == Way::disaggregated) chips.push_back({&p.ffn_chip(), real(c.ffn.size())});
  if (c.prompts == Prompts::apart)
    chips.push_back({p.of->space.requests->pools[c.prompt_pool].pool.pool.chip});
  p.served = {.chips = std::move(chips),
              .fidelity = fidelity_of(p.attention_chip(), p.ffn_chip()),
              .engine = engine_of(deployment, p.of->setting).name,
              .interval = interval_of(deployment, p),
              .estimated = spread_of(deployment, p.of->setting).estimate,
              .pue = p.of->pue};
  take_batch(p);
  return p;
}

std::int64_t micro_batches_in_use(const Candidate& c) {
  return std::min<std::int64_t>(c.micro_batches, c.batch);
}

bool same_but_batch(const Candidate& a, const Candidate& b) {
  const auto all = [](const Candidate& c) {
    const auto side = [](const Candidate::Side& s) {
      return std::tuple(s.chip, s.instances, s.accelerators);
    };
    return std::tuple(c.way, side(c.attention), side(c.ffn), c.attention_split, c.boundary,
                      c.tensor, c.expert, c.attention_tensor, c.context_ways, c.stages,
                      c.micro_batches, micro_batches_in_use(c), c.prompts, c.prompt_pool);
  };
  return all(a) == all(b) && a.places == b.places;
}

bool same_but_batch(const FrontierPoint& a, const FrontierPoint& b) {
  return a.of == b.of && same_but_batch(a.candidate, b.candidate);
}

namespace {

ExploreOptions options_of(const FrontierRequest& request, const FrontierCase& c,
                          const FrontierHooks& hooks) {
  ExploreOptions options{.objective = request.objective,
                         .shard = request.shard,
                         .threads = request.threads,
                         .watch = request.watch,
                         .stop = hooks.stop,
                         .tried = hooks.tried,
                         .describe = nullptr,
                         .write = hooks.write};
  if (hooks.describe) {
    const auto points = std::make_shared<CandidatePoints>(c, hooks.rows);
    options.describe = [&hooks, points](const Candidate& candidate, const Evaluation& e,
                                        std::string& text) {
      hooks.describe(points->of(candidate, e), text);
    };
  }
  return options;
}

}  // namespace

Frontiers frontiers(const FrontierRequest& request, const std::vector<FrontierCase>& cases,
                    const FrontierHooks& hooks) {
  Frontiers out;
  if (hooks.first && !cases.empty()) hooks.first(first_look(cases.front(), hooks));
  CaseSearches searches(request, cases, hooks);
  for (size_t i = 0; i < cases.size(); ++i) {
    const FrontierCase& c = cases[i];
    if (hooks.stop != nullptr && *hooks.stop) {
      out.complete = false;
      break;
    }
    Explored found = searches.search(i, options_of(request, c, hooks));
    if (hooks.finished) hooks.finished(found.tally.tried);
    add_swept_costs(out.swept_costs, c, found);
    FrontierResult& result =
        out.results.emplace_back(result_of(c, std::move(found), searches.known(i)));
    searches.number(result);
    out.worst_deviation = std::max(out.worst_deviation, result.worst_deviation);
    out.complete = out.complete && result.found.complete;
    out.found_everywhere = out.found_everywhere && result.winner.has_value();
  }
  finish_points(out);
  return out;
}

std::uint64_t candidates_of(const std::vector<FrontierCase>& cases, const std::atomic<bool>* stop) {
  std::uint64_t total = 0;
  std::map<std::string, std::uint64_t> known;
  for (const FrontierCase& c : cases) {
    const auto [at, added] = known.try_emplace(same_candidates(c), 0);
    if (added) at->second = afford::candidates_of(enumerate(c.space, c.setting, stop), c.shard);
    total += at->second;
  }
  return stop != nullptr && *stop ? 0 : total;
}

WhyNot why_not(const FrontierResult& result, const std::string& wanted) {
  using Kind = WhyNot::Kind;
  const Watched& w = result.found.watched;
  const auto& points = result.found.frontier.points();
  if (w.tally.tried == 0) return {.kind = Kind::not_in_space, .best = {}, .dominating = {}};
  for (const Candidate& point : points) {
    if (label(point) == wanted) return {.kind = Kind::on_frontier, .best = point, .dominating = {}};
  }
  if (!w.best) {
    return {
        .kind = w.fastest ? Kind::too_slow : Kind::no_room, .best = w.fastest, .dominating = {}};
  }
  for (const Candidate& point : points) {
    if (dominates(point, *w.best, result.found.frontier.objective()))
      return {.kind = Kind::dominated, .best = w.best, .dominating = point};
  }
  return {.kind = Kind::tied, .best = w.best, .dominating = {}};
}

}  // namespace afford::study
