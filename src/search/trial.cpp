#include "search/trial.hpp"

#include "deploy/colocated.hpp"
#include "deploy/pool_pair.hpp"

namespace afford {
namespace {

/// Gives the candidate the form in which its prompts are worked off, and what it then comes to.
WholeOutcome take_form(const PromptForms& forms, std::uint64_t form, Candidate& c,
                       const StepOutcome& decoding) {
  forms.take(c, form);
  WholeOutcome outcome = forms.of(c, decoding);
  c.goals = goals_of(outcome);
  c.ttft_ms = outcome.ttft / millisecond;
  return outcome;
}

/// Files a deployment whose number is at hand: itself or, where prompts count, each of its forms.
void file(Trial& trial, Candidate& c, const StepOutcome& e, bool watched) {
  if (!trial.forms) {
    c.goals = goals_of(e);
    c.goals.usd_at_other_end = trial.price_ratio * c.goals.usd_per_mtok;
    c.step = e.step;
    trial.found.file(c, e.verdict, watched);
    ++c.number;
    return;
  }
  for (std::uint64_t form = 0; form < trial.forms->size(); ++form, ++c.number) {
    const WholeOutcome outcome = take_form(*trial.forms, form, c, e);
    trial.found.file(c, outcome.verdict, watched);
  }
}

/// Files the smallest of the `left` batches still to try. A batch that does not fit is followed
/// only by larger ones, which do not fit either: weights stay, cache and buffers grow with the
/// batch. False: the others are counted and their numbers skipped.
bool file_or_skip(Trial& trial, Candidate& c, const StepOutcome& e, std::uint64_t left,
                  bool watched) {
  file(trial, c, e, watched);
  if (fits(e.verdict) || trial.describing()) return true;
  const std::uint64_t skipped = (left - 1) * prompt_forms(trial.shared.space, c.way);
  trial.found.skip(e.verdict, skipped, watched);
  c.number += skipped;
  return false;
}

/// Before it is filed, which sets the same goals.
void describe(Trial& trial, Candidate& candidate, const Evaluation& e) {
  if (!trial.forms) {
    candidate.goals = goals_of(e);
    trial.shared.options.describe(candidate, e, trial.text);
    return;
  }
  Candidate c = candidate;
  for (std::uint64_t form = 0; form < trial.forms->size(); ++form, ++c.number) {
    Evaluation whole = e;
    static_cast<StepOutcome&>(whole) = take_form(*trial.forms, form, c, e);
    trial.shared.options.describe(c, whole, trial.text);
  }
}

/// FFN times of one unit for one number of attention units, by batch, made when asked for.
class FfnRow {
 public:
  FfnRow(const Setting& setting, const Placement* placement)
      : setting_(setting), placement_(placement) {}
  void start(const AttentionPool& pool) {
    if (pool.units == of_.units && pool.split == of_.split && pool.boundary == of_.boundary) return;
    of_ = pool;
    parts_.clear();
  }
  [[nodiscard]] const Placement* placement() const { return placement_; }
  [[nodiscard]] const FfnPart& at(size_t batch, const Disaggregated& d) {
    if (batch == parts_.size()) parts_.push_back(ffn_part(d, setting_, placement_));
    return parts_[batch];
  }

 private:
  const Setting& setting_;
  const Placement* placement_;
  AttentionPool of_{.side = {}, .units = 0};  // none has no units
  std::vector<FfnPart> parts_;
};

}  // namespace

std::optional<Placement> placement_for(const Setting& setting, const Routing& routing,
                                       std::int64_t groups) {
  std::optional<ExpertLayout> layout;
  for (const FfnSpec& ffn : setting.model->ffns) {
    const Moe* moe = std::get_if<Moe>(&ffn.shape);
    if (moe == nullptr) continue;
    if (layout && (layout->experts != moe->experts || layout->active != moe->active))
      return std::nullopt;
    layout = {moe->experts, moe->active, groups, groups > 1 ? setting.redundant_experts : 0};
  }
  if (!layout) return std::nullopt;
  return place_experts(*layout, routing);
}

void try_disaggregated(Trial& trial, const Unit& unit, const PoolRange& pools) {
  const Shared& shared = trial.shared;
  const Space& space = shared.space;
  const Enumeration& e = shared.enumeration;
  const std::optional<Placement> placement =
      placement_for(shared.setting, shared.setting.routing_of_pools(), unit.split.expert);
  FfnRow row(shared.setting, placement ? &*placement : nullptr);
  const AttentionTables::ByShape& tables = shared.attention.beside(unit);
  // Under a direct runtime the parts depend on both pools: none are shared.
  const bool direct = shared.setting.engine_of_pools().runtime.there();
  std::vector<Round> rounds;  // of the pools at hand, by batch
  Candidate c{.way = Way::disaggregated};
  c.places = space.places;
  c.ffn = unit.side;
  c.number = pools.candidate;
  c.tensor = static_cast<std::uint32_t>(unit.split.tensor);
  c.expert = static_cast<std::uint32_t>(unit.split.expert);
  for (size_t i = pools.first; i < pools.last; ++i) {
    const AttentionPool& pool = e.attention[i];
    if (!pair_up(space, pool, unit)) continue;
    if (!trial.ring.holds(pool.side, unit.side)) {
      c.number += prompt_forms(space, unit.way) * deployments_of(e, space, pool, unit);
      continue;
    }
    c.attention = pool.side;
    c.attention_split = pool.split;
    c.boundary = pool.boundary;
    const auto& batches = e.batches_of(pool.split);
    const StageArrays& attention = tables[pool.shape];
    const bool watched = trial.watches(c);
    if (space.requests) trial.forms.emplace(c, space, shared.setting);
    trial.price_ratio = price_ratio(c, space, shared.options.other_prices);
    row.start(pool);
    Disaggregated d = disaggregated(c, space);
    PoolPair pair(d, shared.setting, held_part(d, shared.setting));
    d.micro_batches = 1;
    size_t made = 0;  // rounds, which are the same whatever the micro-batches
    for (const int micro_batches : space.micro_batches) {
      c.micro_batches = micro_batches;
      pair.keep_in_flight(micro_batches);
      for (size_t b = 0; b < batches.size(); ++b) {
        if (b == made) {
          d.batch = batches[b] * pool.units;
          if (rounds.size() == made) rounds.emplace_back();
          pair.go_round(real(d.batch),
                        direct ? attention_part(d, shared.setting) : attention.attention_part(b),
                        direct ? ffn_part(d, shared.setting, row.placement()) : row.at(b, d),
                        rounds[made++]);
        }
        c.batch = batches[b] * pool.units * micro_batches;
        StepOutcome outcome;
        if (trial.describing()) {
          const Evaluation evaluation = pair.evaluation(rounds[b], c.batch);
          describe(trial, c, evaluation);
          outcome = evaluation;
        } else {
          outcome = pair.outcome(rounds[b], c.batch);
        }
        if (!file_or_skip(trial, c, outcome, batches.size() - b, watched)) break;
      }
    }
    trial.found.close_pools();
  }
}

void try_colocated(Trial& trial, const Unit& unit) {
  const Shared& shared = trial.shared;
  const auto& batches = shared.enumeration.batches_of(unit.way);
  Candidate c = first_of(unit);
  const std::optional<Placement> placement =
      placement_for(shared.setting, shared.setting.routing, layout_of(c).expert_ep);
  Setting setting = shared.setting;
  setting.placement = placement ? &*placement : nullptr;
  setting.known = &shared.known.local();
  if (shared.space.requests) trial.forms.emplace(c, shared.space, setting);
  trial.price_ratio = price_ratio(c, shared.space, shared.options.other_prices);
  const bool watched = trial.watches(c);
  c.batch = 1;
  const Colocated one = colocated(c, shared.space);
  ColocatedPool pool(one, setting);
  for (const int on_each_stage : shared.space.colocated_micro_batches) {
    c.micro_batches = micro_batches_of(unit, on_each_stage);
    pool.take_micro_batches(c.micro_batches);
    // Of a mixed layout the micro-batches may be uneven, so that every batch is tried.
    const std::int64_t each = unit.way == Way::mixed ? 1 : c.micro_batches;
    for (size_t b = 0; b < batches.size(); ++b) {
      c.batch = batches[b] * each;
      const Evaluation result = pool.at(c.batch * one.batch);
      if (trial.describing()) describe(trial, c, result);
      if (!file_or_skip(trial, c, result, batches.size() - b, watched)) break;
    }
  }
  trial.found.close_pools();
}

}  // namespace afford
