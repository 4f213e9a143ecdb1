#include "study/fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "deploy/colocated.hpp"
#include "error.hpp"
#include "load/calibrations.hpp"
#include "load/library.hpp"
#include "search/layouts.hpp"
#include "text/quantity.hpp"

namespace afford::study {
namespace {

void check(const FitRequest& request) {
  check_contexts(request.contexts);
  check_range("requests", request.requests, 1, 1'000'000'000);
  check_range("max gpus", request.max_gpus, 1, 4096);
}

/// Why a pool does not hold `wanted` requests.
std::string complaint(const PoolFit& pool, std::int64_t held, std::int64_t wanted) {
  const std::string where = pool.name == "all" ? pool.pool : pool.name + " on " + pool.pool;
  if (pool.use.weights > pool.use.capacity) {
    return fmt::format("{}: weights need {} of {} an accelerator", where, human(pool.use.weights),
                       human(pool.use.capacity));
  }
  if (held == 0) {
    return fmt::format("{}: one request needs {} of {} an accelerator", where,
                       human(pool.use.total()), human(pool.use.capacity));
  }
  return fmt::format("{}: holds {} of {} requests", where, held, wanted);
}

/// Tokens of cache that one replica holds beside weights and buffers.
double tokens_of_replica(const MemoryUse& use, double requests, double context) {
  const Bytes room = use.capacity - use.weights - use.buffers;
  return std::max(0.0, room / (use.cache / requests)) * context;
}

/// With as many requests as fit, or one of each replica.
Colocated filled(Colocated c, const Setting& setting) {
  c.batch = c.replicas();
  c.batch = std::max(colocated_memory(c, setting).largest_batch, c.batch);
  return c;
}

Fit fit_of(const Colocated& asked, const Setting& setting) {
  const Colocated c = filled(asked, setting);
  const ColocatedMemory memory = colocated_memory(c, setting);
  const double each = real(c.batch) / real(c.replicas());
  Fit fit{.model = setting.model->name,
          .label = name_of(c.layout),
          .context = setting.context,
          .gpus = c.pool.size(),
          .requests = memory.largest_batch,
          .engine = setting.engine.name,
          .pools = {{"all", name_of(c.pool), c.pool.chip, memory.use}}};
  fit.tokens = real(c.replicas()) * tokens_of_replica(memory.use, each, setting.context);
  fit.cache_of_token = memory.use.cache / each / setting.context;
  return fit;
}

Fit fit_of(Disaggregated d, const Setting& setting) {
  const double units = real(d.attention_units());
  d.batch = d.micro_batches;
  const std::int64_t most = evaluate(d, setting).largest_batch;
  d.batch = std::max<std::int64_t>(most, d.micro_batches);
  const Evaluation e = evaluate(d, setting);
  Fit fit{.model = setting.model->name,
          .label = label_of(d.attention.instances, d.ffn.instances, d.boundary, d.places),
          .context = setting.context,
          .gpus = e.gpus,
          .requests = most,
          .engine = setting.engine_of_pools().name,
          .pools = {{"attention", name_of(d.attention), d.attention.chip, e.attention_memory},
                    {"FFN", name_of(d.ffn), d.ffn.chip, e.ffn_memory}}};
  const double each = std::ceil(real(d.batch) / d.micro_batches / units) * d.micro_batches;
  fit.tokens = units * tokens_of_replica(e.attention_memory, each, setting.context);
  fit.cache_of_token = e.attention_memory.cache / each / setting.context;
  return fit;
}

/// The pool that holds least, and whether that is enough.
void judge(Fit& fit, std::int64_t wanted) {
  fit.holds = fit.requests >= wanted;
  if (fit.holds) return;
  const auto fullest =
      std::max_element(fit.pools.begin(), fit.pools.end(), [](const PoolFit& a, const PoolFit& b) {
        return a.use.total() / a.use.capacity < b.use.total() / b.use.capacity;
      });
  fit.reason = complaint(*fullest, fit.requests, wanted);
}

/// Of two that hold the load or two that do not the one that holds more; of two that hold nothing
/// the one of lighter weights.
bool holds_more(const Fit& a, const Fit& b) {
  if (a.holds != b.holds) return a.holds;
  if (a.requests != b.requests) return a.requests > b.requests;
  return a.requests == 0 && a.pools.front().use.weights < b.pools.front().use.weights;
}

/// The layout of fewest pipeline stages that holds the load, and among these the one that holds
/// most: a request passes all stages one after another. Where none holds it, the best of any.
std::optional<Fit> best_of_pool(const Pool& pool, const Setting& setting,
                                const FitRequest& request) {
  std::optional<Fit> best;
  std::int64_t stages = 0;
  for (const Layout& layout : layouts_of(pool, *setting.model, setting.redundant_experts)) {
    const Colocated c{.pool = pool,
                      .batch = 0,
                      .micro_batches = static_cast<int>(std::min<std::int64_t>(layout.pp, 64)),
                      .layout = layout};
    if (best && best->holds && layout.pp > stages) break;  // they come by stages
    Fit fit = fit_of(c, setting);
    judge(fit, request.requests);
    if (best && !holds_more(fit, *best)) continue;
    best = std::move(fit);
    stages = layout.pp;
  }
  return best;
}

/// The first cluster that holds the load, or the last that does not.
Fit smallest(const HardwareSpec& chip, const Setting& setting, const FitRequest& request) {
  std::optional<Fit> last;
  for (const Pool& pool : pools_of(chip, request.max_gpus)) {
    std::optional<Fit> fit = best_of_pool(pool, setting, request);
    if (!fit) continue;
    if (fit->holds && last) fit->reason = "the next smaller, " + last->reason;
    const bool done = fit->holds;
    last = std::move(fit);
    if (done) break;
  }
  if (!last)
    throw ValueError("max gpus", fmt::format(": {} has no cluster of that size", chip.name));
  return *last;
}

void add_deployments(Fits& out, const FitRequest& request, const Prepared& prepared) {
  for (Deployment& deployment : deployments_of(request, prepared.model)) {
    const Engines engines = engines_of(request, deployment);
    for (const std::int64_t context : request.contexts) {
      const Setting setting = setting_of(request, prepared, static_cast<double>(context), engines);
      out.rows.push_back(
          std::visit([&](const auto& way) { return fit_of(way, setting); }, deployment.way));
      judge(out.rows.back(), request.requests);
    }
    // Rows point to the chips, whose place a move of the vector keeps.
    out.chips.push_back(
        std::make_shared<const std::vector<HardwareSpec>>(std::move(deployment.chips)));
  }
}

/// Chips with the engines that run on them, loaded once for all models.
struct Clusters {
  std::shared_ptr<const std::vector<HardwareSpec>> chips;
  std::vector<Engines> engines;  // of each chip
};
Clusters clusters_of(const FitRequest& request, LeftOut& left_out) {
  Clusters out{.chips = std::make_shared<const std::vector<HardwareSpec>>(
                   chips_of(request.chips, request, &left_out)),
               .engines = {}};
  for (const HardwareSpec& chip : *out.chips) out.engines.push_back(engines_of(request, {chip}));
  return out;
}

void add_clusters(Fits& out, const FitRequest& request, const Prepared& prepared,
                  const Clusters& clusters) {
  for (size_t i = 0; i < clusters.chips->size(); ++i) {
    for (const std::int64_t context : request.contexts) {
      const Setting setting =
          setting_of(request, prepared, static_cast<double>(context), clusters.engines[i]);
      out.rows.push_back(smallest((*clusters.chips)[i], setting, request));
    }
  }
}

}  // namespace

bool Fits::all_hold() const {
  return std::all_of(rows.begin(), rows.end(), [](const Fit& fit) { return fit.holds; });
}

Fits fits(const FitRequest& request) {
  check(request);
  Fits out;
  const std::vector<Prepared> models = prepare(request, &out.left_out);
  for (const Prepared& prepared : models) out.models.push_back(prepared.model);
  if (request.afd || request.colocated) {
    for (const Prepared& prepared : models) add_deployments(out, request, prepared);
    return out;
  }
  const Clusters clusters = clusters_of(request, out.left_out);
  out.chips.push_back(clusters.chips);
  for (const Prepared& prepared : models) add_clusters(out, request, prepared, clusters);
  return out;
}

}  // namespace afford::study
