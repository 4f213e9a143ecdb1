#include "study/simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "error.hpp"

namespace afford::study {
namespace {

void check(const SimulationRequest& request) {
  check_contexts(request.contexts);
  if (!request.afd && !request.colocated) throw UsageError("simulate needs a deployment");
  if (!(request.jitter >= 0 && request.jitter <= 2))
    throw ValueError("jitter", ": expected a standard deviation from 0 to 2");
  if (request.steps < 1 || request.steps > 100'000)
    throw ValueError("steps", ": expected 1 to 100000");
  if (request.seed < 0)
    throw ValueError("seed", fmt::format(": expected a whole number from 0, got {}", request.seed));
}

/// How the experts of an MoE layer are spread, and the tokens one copy of them all sees.
struct ExpertSide {
  std::int64_t groups = 1;
  double tokens = 0;
};

ExpertSide experts_at(const Deployment& deployment, const Evaluation& e, const Setting& setting) {
  const double tokens = e.batch / deployment.micro_batches() * (setting.speculation.drafts + 1);
  if (const Colocated* c = deployment.colocated()) {
    return {.groups = c->layout.expert_ep, .tokens = tokens / static_cast<double>(c->engines())};
  }
  const Disaggregated& d = *deployment.afd();
  const std::int64_t groups = d.ffn_split.expert;
  const std::int64_t replicas = d.ffn.size() / (groups * d.ffn_split.tensor);
  return {.groups = groups, .tokens = tokens / static_cast<double>(replicas)};
}

OperationDetail detail_of(const Deployment& deployment, const Setting& setting, const Evaluation& e,
                          std::uint64_t seed) {
  constexpr int samples = 100;
  OperationDetail out{.kind = e.main_kind,
                      .ops = stage_ops(deployment.way, setting, e.main_kind),
                      .step = {},
                      .experts = {}};
  if (const Colocated* c = deployment.colocated()) out.step = step_parts(*c, setting);
  const LayerKind& kind = setting.model->layer_kinds[e.main_kind];
  const Moe* moe = std::get_if<Moe>(&setting.model->ffns[kind.ffn].shape);
  if (moe == nullptr) return out;
  const ExpertSide at = experts_at(deployment, e, setting);
  const ExpertLayout layout{moe->experts, moe->active, at.groups, setting.redundant_experts};
  const Routing& routing =
      deployment.afd() != nullptr ? setting.routing_of_pools() : setting.routing;
  out.experts = {.layout = layout,
                 .load = expected_load(layout, at.tokens, routing),
                 .sampled_busiest_group =
                     sampled_busiest_group(layout, std::llround(at.tokens), routing, seed, samples),
                 .routing = routing.name};
  return out;
}

std::vector<ChipsUsed> chips_used(const Deployment& deployment, const Evaluation& e) {
  if (const Colocated* c = deployment.colocated()) return {{c->pool.chip, real(c->pool.size())}};
  const Disaggregated& d = *deployment.afd();
  const BusyShares busy = busy_shares(e, d.micro_batches);
  return {{d.attention.chip, real(d.attention.size()), busy.attention},
          {d.ffn.chip, real(d.ffn.size()), busy.ffn}};
}

/// With no engine around the kernels, in closed form.
Seconds ideal_tpot(const Deployment& deployment, const Setting& ideal, const Setting& setting,
                   const Evaluation& e) {
  if (engine_of(deployment.way, setting).name == no_engine) return e.tpot;
  return evaluate(deployment.way, ideal).tpot;
}

Simulation simulation(const Deployment& deployment, const Setting& setting, const Setting& ideal,
                      const SimulationRequest& request) {
  const EventOptions options{.micro_batch_sizes = deployment.micro_batch_sizes,
                             .sigma = request.jitter,
                             .seed = static_cast<std::uint64_t>(request.seed),
                             .steps = request.steps,
                             .keep_events = request.keep_events};
  Simulation out{.model = setting.model,
                 .label = deployment.label,
                 .chips_text = deployment.chips_text(),
                 .attention_chip = deployment.chips.front().name,
                 .ffn_chip = deployment.chips.back().name,
                 .swept = {},
                 .setting = setting,
                 .result = simulate(deployment.way, setting, options),
                 .served = {},
                 .micro_batches = deployment.micro_batches(),
                 .micro_batch_sizes = deployment.micro_batch_sizes,
                 .calibrated = deployment.calibrated(),
                 .beyond = {},
                 .detail = {}};
  const Evaluation& e = out.result.evaluation;
  out.served = {.chips = chips_used(deployment, e),
                .tokens = static_cast<double>(e.gpus) * e.tokens_per_gpu,
                .fidelity = deployment.fidelity(),
                .engine = engine_of(deployment.way, setting).name,
                .tpot = e.tpot,
                .ideal = ideal_tpot(deployment, ideal, setting, e),
                .interval = out.result.interval,
                .estimated = spread_of(deployment.way, setting).estimate,
                .pue = request.what_if.pue};
  if (out.calibrated) {
    Gaps gaps = gaps_of(deployment.way, setting);
    out.beyond = std::move(gaps.beyond);
    out.uncovered = std::move(gaps.uncovered);
    out.widened = std::move(gaps.widened);
  }
  if (request.detail)
    out.detail = detail_of(deployment, setting, e, static_cast<std::uint64_t>(request.seed));
  return out;
}

SweptCost swept_cost(const Simulation& row) {
  const SweepPoint others = others_of(row.swept);
  return {.group = row.model->name + (others.empty() ? "" : ", " + text_of(others)),
          .choice = fmt::format("{} on {}", row.label, row.chips_text),
          .at = row.swept.back().number,
          .usd_per_mtok = row.result.evaluation.cost / usd_per_mtok};
}

/// Than BF16: steps, which work off no prompts, ask for curves that few calibrations have.
bool has_narrow_cache(const ModelSpec& model) {
  return std::any_of(model.attentions.begin(), model.attentions.end(),
                     [&](const AttentionSpec& attention) {
                       return bits_of(cache_format(model, attention)) < bits_of(Dtype::bf16);
                     });
}

void add(Simulations& out, const SimulationRequest& request, const SweepPoint& point) {
  SimulationRequest applied = request;
  apply_sweep(point, applied);
  const auto models =
      std::make_shared<const std::vector<Prepared>>(prepare(applied, &out.left_out));
  out.models.push_back(models);
  for (const Prepared& prepared : *models) {
    applied.lent_curves = has_narrow_cache(prepared.model);
    for (Deployment& deployment : deployments_of(applied, prepared.model, &out.left_out)) {
      const Engines engines = engines_of(applied, deployment);
      for (const std::int64_t context : applied.contexts) {
        const Setting setting =
            setting_of(applied, prepared, static_cast<double>(context), engines);
        const Setting ideal = without_engine(applied, setting, engines);
        Simulation& row = out.rows.emplace_back(simulation(deployment, setting, ideal, applied));
        row.swept = point;
        const bool costed = !std::isnan(row.result.evaluation.cost.base());
        if (!point.empty() && row.feasible() && costed) out.swept_costs.push_back(swept_cost(row));
      }
      // Rows point to the chips, whose place a move of the vector keeps.
      out.chips.push_back(
          std::make_shared<const std::vector<HardwareSpec>>(std::move(deployment.chips)));
    }
  }
}

}  // namespace

bool Simulations::all_feasible() const {
  return std::all_of(rows.begin(), rows.end(), [](const Simulation& s) { return s.feasible(); });
}

Simulations simulations(const SimulationRequest& request) {
  check(request);
  Simulations out;
  for (const SweepPoint& point : request.sweep) add(out, request, point);
  return out;
}

Gaps gaps_of(const AnyDeployment& deployment, const Setting& setting) {
  constexpr double deciding_share = 1.0 / 20;  // of its stage
  Gaps gaps;
  const auto add_once = [](std::vector<std::string>& names, std::string_view name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
  };
  const size_t kinds = setting.shapes->size();
  const auto add = [&](const OpList& ops, Seconds stage, size_t kind) {
    for (const Op& op : ops) {
      if (op.time <= deciding_share * stage) continue;
      const std::string name =
          kinds == 1 ? std::string(op.name)
                     : fmt::format("{} of {}", op.name, layer_name(*setting.model, kind));
      if (op.beyond) add_once(gaps.beyond, name);
      if (op.uncovered) add_once(gaps.uncovered, name);
      if (op.widened) add_once(gaps.widened, name);
    }
  };
  for (size_t kind = 0; kind < kinds; ++kind) {
    const StageOps ops = stage_ops(deployment, setting, kind);
    const Seconds ffn = ops.shared.time() + ops.ffn.time();
    add(ops.attention, ops.attention.time(), kind);
    add(ops.shared, ffn, kind);
    add(ops.ffn, ffn, kind);
  }
  return gaps;
}

}  // namespace afford::study
