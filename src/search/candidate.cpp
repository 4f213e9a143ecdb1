#include "search/candidate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace afford {
namespace {

Pool pool_of(const Candidate::Side& side, const Space& space) {
  return {&(*space.chips)[side.chip], side.instances, side.accelerators};
}

}  // namespace

Disaggregated disaggregated(const Candidate& c, const Space& space) {
  return {.attention = pool_of(c.attention, space),
          .ffn = pool_of(c.ffn, space),
          .batch = c.batch,
          .micro_batches = c.micro_batches,
          .attention_split = c.attention_split,
          .ffn_split = {c.tensor, c.expert},
          .boundary = c.boundary,
          .places = c.places};
}

std::vector<Candidate> each_once(std::vector<Candidate> list) {
  const auto before = [](const Candidate& a, const Candidate& b) { return a.number < b.number; };
  const auto same = [](const Candidate& a, const Candidate& b) { return a.number == b.number; };
  std::sort(list.begin(), list.end(), before);
  list.erase(std::unique(list.begin(), list.end(), same), list.end());
  return list;
}

Layout layout_of(const Candidate& c) {
  if (c.way == Way::mixed) {
    return {.attention_tp = c.attention_tensor,
            .expert_tp = c.tensor,
            .expert_ep = c.expert,
            .pp = c.stages,
            .cp = c.context_ways};
  }
  return c.tensor > 1 ? tensor_parallel(c.tensor) : expert_parallel(c.attention.size());
}

Colocated colocated(const Candidate& c, const Space& space) {
  const Pool pool = pool_of(c.attention, space);
  Colocated out{.pool = pool,
                .batch = c.batch * pool.size(),
                .micro_batches = c.micro_batches,
                .layout = layout_of(c)};
  if (c.way == Way::mixed) out.batch = c.batch * out.replicas();
  return out;
}

AnyDeployment deployment_of(const Candidate& c, const Space& space) {
  if (c.way == Way::disaggregated) return disaggregated(c, space);
  return colocated(c, space);
}

Evaluation evaluate(const Candidate& c, const Space& space, const Setting& setting) {
  return c.way == Way::disaggregated ? evaluate(disaggregated(c, space), setting)
                                     : evaluate(colocated(c, space), setting);
}

Goals goals_of(const StepOutcome& e) {
  return {.tpot_ms = e.tpot / millisecond,
          .tokens_per_gpu_s = e.tokens_per_gpu.base(),
          .usd_per_mtok = e.cost / usd_per_mtok};
}

UsdPerToken cost_of(const Candidate& c, const Space& space, const Setting& setting) {
  const double per_step = tokens_per_step(setting.speculation);
  const auto cost = [&](UsdRate price, std::int64_t batch) {
    return price * c.step / Tokens(real(batch) * per_step);
  };
  if (c.way != Way::disaggregated) {
    const Colocated all = colocated(c, space);
    return cost(price_of(all.pool), all.batch);
  }
  return cost(price_of(pool_of(c.attention, space)) + price_of(pool_of(c.ffn, space)), c.batch);
}

std::string label(const Candidate& c) {
  if (c.way == Way::disaggregated)
    return label_of(c.attention.instances, c.ffn.instances, c.boundary, c.places);
  return name_of(layout_of(c));
}

std::string parallelism(const Candidate& c) {
  if (c.way == Way::disaggregated) return fmt::format("tp{}ep{}", c.tensor, c.expert);
  std::string name = name_of(layout_of(c));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return name;
}

}  // namespace afford
