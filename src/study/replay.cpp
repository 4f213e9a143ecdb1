#include "study/replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "plan/workload.hpp"
#include "traffic/trace.hpp"

namespace afford::study {
namespace {

constexpr std::int64_t requests_drawn = 10'000, large_batch = 1024;

void check_replay(const ReplayRequest& request) {
  check_range("requests", request.requests, 0, 1'000'000'000);
  check_range("copies", request.copies, 1, 4096);
  if (request.chunk) check_range("chunk", *request.chunk, 1, 100'000'000);
  for (const std::int64_t n : request.concurrencies) check_range("concurrency", n, 1, 1'000'000);
  for (const double rate : request.rates) {
    if (!(rate >= 1e-6 && rate <= 1e6))
      throw ValueError("rate",
                       fmt::format(": expected 1e-06 to 1e+06 requests a second, got {}", rate));
  }
  if (!request.rates.empty() && !request.concurrencies.empty())
    throw ValueError("concurrency", ": a rate is given already; expected one of the two");
  if (request.prefix_hit_rate && !(*request.prefix_hit_rate >= 0 && *request.prefix_hit_rate <= 1))
    throw ValueError("prefix hit rate", ": expected a share from 0 to 1");
  if (request.seed.value_or(0) < 0)
    throw ValueError("seed",
                     fmt::format(": expected a whole number from 0, got {}", *request.seed));
  if (request.models.size() != 1 && !request.models.empty())
    throw UsageError("replay takes one model at a time");
}

/// What is said of prompts needs a pool that works on them.
void require_prompts(const ReplayRequest& request) {
  if (request.chunk && (!request.colocated || request.prefill)) {
    throw ValueError("chunk",
                     " has no effect but on a co-located pool that has no prompt pool beside it: "
                     "prompts join its "
                     "steps alone");
  }
  if (request.prefix_hit_rate && !request.colocated && !request.prefill)
    throw ValueError("prefix hit rate", " has no effect where prompts come worked off");
}

/// Where requests come from: opened anew for every row.
struct TrafficFile {
  std::string name, text, model, trace;
  Traffic traffic;  // of a workload
  bool blocks = false;
};

bool is_workload(const std::string& file) {
  const std::string extension = std::filesystem::path(file).extension().string();
  return extension == ".yaml" || extension == ".yml";
}

/// A trace has blocks where its first request has.
bool has_blocks(const std::string& trace) {
  const std::optional<Request> first = TraceReader(trace).next();
  return first && !first->blocks.empty();
}

TrafficFile open_traffic(const std::string& file) {
  TrafficFile out;
  if (is_workload(file)) {
    const Workload workload = read_workload(yaml::parse_file(file), file);
    out.name = workload.name;
    out.model = workload.model;
    out.traffic = workload.traffic;
    out.trace = workload.traffic.trace;
    out.text = workload.traffic.origin;
  } else {
    out.name = std::filesystem::path(file).filename().string();
    out.trace = file;
    out.text = fmt::format("{} trace", TraceReader(file).format());
  }
  out.blocks = !out.trace.empty() && has_blocks(out.trace);
  return out;
}

RequestSource source_of(const TrafficFile& from, const ReplayRequest& request,
                        const ReplayArrivals& arrivals) {
  const auto seed = static_cast<std::uint64_t>(request.seed.value_or(1));
  RequestSource source = from.trace.empty() ? drawn(from.traffic.prompt, from.traffic.output, seed)
                                            : trace_source(from.trace);
  const bool endless = from.trace.empty() && request.requests == 0;
  if (request.requests > 0 || endless)
    source = first_of(std::move(source), endless ? requests_drawn : request.requests);
  return arrivals.rate ? poisson(std::move(source), *arrivals.rate, seed + 1) : source;
}

/// Of a row; 0: a trace's, which nobody has counted.
std::uint64_t requests_of(const TrafficFile& from, const ReplayRequest& request) {
  if (request.requests > 0) return static_cast<std::uint64_t>(request.requests);
  return from.trace.empty() ? requests_drawn : 0;
}

std::vector<ReplayArrivals> loads_of(const ReplayRequest& request, const TrafficFile& from) {
  std::vector<ReplayArrivals> loads;
  for (const double rate : request.rates) loads.push_back({.rate = rate, .concurrency = {}});
  for (const std::int64_t n : request.concurrencies)
    loads.push_back({.rate = {}, .concurrency = n});
  if (!loads.empty()) return loads;
  // Lengths alone come at the rate of the peak hours, which a plan is made for.
  if (from.trace.empty()) return {{.rate = peak_rate(from.traffic), .concurrency = {}}};
  return {{}};
}

/// A deployment needs a batch to be checked with, where none bounds the requests in flight.
ReplayRequest with_batches(ReplayRequest request) {
  if (request.afd && request.afd->batch == 0 && request.afd->micro_batch_sizes.empty())
    request.afd->batch = large_batch * request.afd->micro_batches_in_flight();
  if (request.colocated && request.colocated->batch == 0 && request.colocated->batch_per_gpu == 0)
    request.colocated->batch_per_gpu = large_batch;
  return request;
}

/// The prompt pool asked for, as a deployment of its own.
std::optional<Deployment> prefill_of(const ReplayRequest& request, const ModelSpec& model) {
  if (!request.prefill) return std::nullopt;
  try {
    return std::move(deployments_of(one_prompt_each(request, *request.prefill), model).front());
  } catch (const ValueError& error) {
    if (error.name() != "parallelism") throw;
    throw ValueError("prefill parallelism", error.complaint());
  }
}

/// A decode step of every deployment of a request, prompt pools included, and what it holds.
struct SampleSteps {
  std::vector<Seconds> times;
  std::vector<Bytes> held;
  bool operator==(const SampleSteps&) const = default;
};

SampleSteps sample_steps(const ReplayRequest& request, const Prepared& prepared) {
  constexpr double context = 4096;
  std::vector<Deployment> all = deployments_of(with_batches(request), prepared.model);
  if (std::optional<Deployment> prefill = prefill_of(request, prepared.model))
    all.push_back(std::move(*prefill));
  SampleSteps steps;
  for (const Deployment& deployment : all) {
    const Engines engines = engines_of(request, deployment);
    const Setting setting = setting_of(request, prepared, context, engines);
    const Evaluation e = evaluate(deployment.way, setting);
    steps.times.push_back(e.tpot);
    steps.held.push_back(e.attention_memory.total() + e.ffn_memory.total());
  }
  return steps;
}

/// What changes no step changes no replay; prompts that come from a pool do so over its NICs.
void require_conditions_count(const ReplayRequest& request, const Prepared& prepared) {
  for (const AskedFor& each : conditions_asked_for()) {
    if (!each.given(request) || (each.name == "nic bandwidth" && request.prefill)) continue;
    ReplayRequest without = request;
    each.leave_out(without);
    if (sample_steps(without, prepared) == sample_steps(request, prepared))
      throw ValueError(std::string(each.name), " changes nothing in this run");
  }
}

bool bounded(const ReplayRequest& request, const Deployment& deployment) {
  if (deployment.afd() != nullptr) return request.afd->batch > 0;
  return request.colocated->batch > 0 || request.colocated->batch_per_gpu > 0;
}

std::int64_t batch_of(const Deployment& deployment) {
  return std::visit([](const auto& d) { return d.batch; }, deployment.way);
}

void add_hardware(ReplayRow& row, const Deployment& deployment, std::int64_t copies) {
  const double n = real(copies);
  if (const Colocated* c = deployment.colocated()) {
    row.gpus = copies * c->pool.size();
    row.price = n * price_of(c->pool);
    return;
  }
  const Disaggregated& d = *deployment.afd();
  row.gpus = copies * (d.attention.size() + d.ffn.size());
  row.price = n * (price_of(d.attention) + price_of(d.ffn));
}

/// Everything the rows of a replay have in common.
struct ReplayCase {
  const ReplayRequest& request;
  const TrafficFile& from;
  const Prepared& prepared;
  const Deployment* prefill = nullptr;
  const RequestEnded& ended;
};

ReplayRow replay_row(const ReplayCase& c, const Deployment& deployment,
                     const ReplayArrivals& arrivals, std::function<void(std::uint64_t)> asked) {
  const Engines engines = engines_of(c.request, deployment);
  const Setting setting = setting_of(c.request, c.prepared, 1, engines);
  const std::int64_t each = instances_of(deployment.way);
  ReplayRow row{.model = c.prepared.model.name,
                .label = deployment.label,
                .chips_text = deployment.chips_text(),
                .engine = engine_of(deployment.way, setting).name,
                .fidelity = deployment.fidelity(),
                .afd = deployment.afd() != nullptr,
                .arrivals = arrivals,
                .instances = c.request.copies * each,
                .tpot_limit = c.request.tpot_limit};
  add_hardware(row, deployment, c.request.copies);
  if (row.instances == 1 && c.request.routing != RequestRouting::round_robin)
    throw ValueError("route", " has no effect on a single instance; expected two or more copies");
  ServerOptions options;
  options.chunk = c.request.chunk.value_or(options.chunk);
  if (bounded(c.request, deployment))
    options.most_in_flight = std::max<std::int64_t>(1, batch_of(deployment) / each);
  options.cache_prefixes = c.from.blocks && !c.request.prefix_hit_rate && c.prefill == nullptr;
  Server server = server_of(deployment.way, setting, options);
  std::optional<PromptPool> pool;
  if (c.prefill != nullptr) {
    const Colocated& works = *c.prefill->colocated();
    pool = prompt_pool_of(
        works, setting_of(c.request, c.prepared, 1, engines_of(c.request, c.prefill->chips)));
    server.prompts_here = false;
    row.prefill_gpus = works.pool.size();
    row.prefill_price = price_of(works.pool);
  }
  const ReplayLoad load{.concurrency = arrivals.concurrency,
                        .routing = c.request.routing,
                        .prefix_hit_rate = c.request.prefix_hit_rate.value_or(0),
                        .ended = c.ended};
  row.replayed = replay(server, row.instances, pool ? &*pool : nullptr,
                        watched(source_of(c.from, c.request, arrivals), std::move(asked)), load);
  return row;
}

}  // namespace

Usd ReplayRow::prompt_bill() const {
  if (prefill_gpus > 0) return prefill_price * replayed.span();
  const Usage& usage = replayed.usage;
  return usage.busy > Seconds(0) ? usage.prompts / usage.busy * bill() : Usd(0);
}

bool Replays::all_served() const {
  return std::all_of(rows.begin(), rows.end(), [](const ReplayRow& row) {
    return row.replayed.requests > 0 && row.replayed.too_long == 0;
  });
}

Replays replays(const ReplayRequest& request, const ReplayProgress& progress,
                const RequestEnded& ended) {
  check_replay(request);
  require_prompts(request);
  const TrafficFile from = open_traffic(request.file);
  if (request.seed && !from.trace.empty() && request.rates.empty())
    throw ValueError("seed", " has no effect: nothing of this replay is drawn");
  ReplayRequest whole = request;
  if (!whole.prefix_hit_rate && from.traffic.prefix_hit_rate > 0)
    whole.prefix_hit_rate = from.traffic.prefix_hit_rate;
  if (whole.models.empty() && !from.model.empty()) whole.models = {from.model};
  if (whole.models.empty())
    throw ValueError("model", fmt::format(": expected one, as {} names none", request.file));
  const std::vector<Prepared> prepared = prepare(whole);
  if (prepared.size() != 1) throw UsageError("replay takes one model at a time");
  require_conditions_count(whole, prepared.front());
  const std::optional<Deployment> prefill = prefill_of(whole, prepared.front().model);
  const ReplayCase c{whole, from, prepared.front(), prefill ? &*prefill : nullptr, ended};
  Replays out{.name = from.name, .traffic = from.text, .rows = {}};
  out.prefixes = from.blocks && !whole.prefix_hit_rate && !prefill;
  const std::vector<Deployment> deployments =
      deployments_of(with_batches(whole), prepared.front().model);
  const std::vector<ReplayArrivals> loads = loads_of(request, from);
  const std::size_t rows = deployments.size() * loads.size();
  if (ended && rows > 1)
    throw ValueError("trace", fmt::format(" follows one row, and there are {}", rows));
  const std::uint64_t each = requests_of(from, request);
  const std::uint64_t all = each * rows;
  for (const Deployment& deployment : deployments) {
    for (const ReplayArrivals& arrivals : loads) {
      const std::uint64_t before = each * out.rows.size();
      out.rows.push_back(replay_row(c, deployment, arrivals, [&](std::uint64_t asked) {
        if (progress) progress(before + asked, all);
      }));
    }
  }
  return out;
}

}  // namespace afford::study
