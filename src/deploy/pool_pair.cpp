#include "deploy/pool_pair.hpp"

#include "deploy/core_boundary.hpp"
#include "deploy/direct.hpp"
#include "kernels/dense.hpp"

namespace afford {
namespace {

/// Whether one scale-up fabric joins both pools: all accelerators of a rack, or slices of a server.
bool in_one_domain(const Disaggregated& d) {
  return d.attention.chip->name == d.ffn.chip->name &&
         d.attention.size() + d.ffn.size() <= d.attention.chip->scale_up_accelerators.value;
}

/// Rate of one instance, which may be a slice of a server: of its NICs, or of its accelerators on
/// the fabric.
ByteRate instance_rate(const Pool& pool, const Engine& e, bool over_fabric) {
  if (over_fabric)
    return e.scale_up * real(pool.accelerators) * pool.chip->scale_up_bandwidth.value;
  const double slice = real(pool.accelerators) / real(pool.chip->server_accelerators.value);
  return e.nic * slice * server_network(*pool.chip);
}

std::string_view pipeline_bound(const StageTimes& t, int micro_batches) {
  const Seconds longest = t.longest();
  if (t.sum() > micro_batches * longest) return "latency";
  if (longest == t.attention) return "attention";
  if (longest == t.ffn) return "ffn";
  return longest == t.a2f ? "a2f" : "f2a";
}

}  // namespace

PoolPair::PoolPair(const Disaggregated& d, const Setting& setting, const HeldPart& held)
    : deployment_(d),
      setting_(setting),
      held_(held),
      shares_(shares_of(d, setting)),
      messages_(setting.shapes->size()),
      edges_(setting.shapes->size()),
      tokens_per_step_(tokens_per_step(setting.speculation)) {
  const bool core = d.boundary == Boundary::core, routed_there = d.places.router == AfdPool::ffn;
  join();
  const std::vector<LayerShape>& shapes = *setting.shapes;
  main_kind_ = main_kind(shapes);
  for (size_t kind = 0; kind < shapes.size(); ++kind) {
    const LayerShape& shape = shapes[kind];
    messages_[kind] =
        core ? Message{from_core_bytes(shape.attention), to_core_bytes(shape.attention)}
             : Message{routed_there ? hidden_bytes(*setting.model)
                                    : dispatch_bytes(*setting.model, shape),
                       combine_bytes(*setting.model)};
    if (!core && !visits_ffn(d.places, shape)) {
      edges_[kind] = Seconds(0);
    } else if (direct_layout(d, setting, shape)) {
      edges_[kind] = direct_edge(Machine(*d.attention.chip, setting.engine_of_pools()));
    }
  }
  keep_in_flight(d.micro_batches);
}

void PoolPair::join() {
  const bool over_fabric = in_one_domain(deployment_);
  attention_rate_ = instance_rate(deployment_.attention, setting_.engine_of_pools(), over_fabric);
  ffn_rate_ = instance_rate(deployment_.ffn, setting_.engine_of_pools(), over_fabric);
  price_ = price_of(deployment_.attention) + price_of(deployment_.ffn);
}

void PoolPair::take_attention_instances(std::int64_t instances) {
  deployment_.attention.instances = instances;
  plans_.reset();
  join();
}

PairMemory PoolPair::memory_of(int micro_batches) const {
  Disaggregated d = deployment_;
  d.micro_batches = micro_batches;
  return {attention_memory(d, setting_, shares_, held_), ffn_memory(d, setting_, shares_, held_)};
}

void PoolPair::keep_in_flight(int micro_batches) {
  deployment_.micro_batches = micro_batches;
  memory_ = memory_of(micro_batches);
}

Seconds PoolPair::network_time(double at_attention, double at_ffn, Bytes each_token) const {
  return std::max(at_attention * each_token / attention_rate_, at_ffn * each_token / ffn_rate_) +
         setting_.engine_of_pools().time.transfers.latency;
}

Evaluation PoolPair::at(std::int64_t batch) {
  Disaggregated& d = deployment_;
  d.batch = batch;
  const bool core = d.boundary == Boundary::core;
  if (plans_ == nullptr) {
    plans_ = std::make_unique<Plans>(Plans{AttentionPoolPlan(d, setting_), {}});
    if (!core) plans_->ffn.emplace(d, setting_, nullptr);
  }
  const Shares s = with_requests(shares_, d, real(batch) / d.micro_batches, setting_);
  Round round;
  go_round(s, plans_->attention.at(s),
           core ? around_core_part(d, setting_, nullptr) : plans_->ffn->at(s), round);
  return evaluation(round, batch);
}

void PoolPair::go_round(double requests, const AttentionPart& attention, const FfnPart& ffn,
                        Round& round) const {
  go_round(with_requests(shares_, deployment_, requests, setting_), attention, ffn, round);
}

void PoolPair::go_round(const Shares& s, const AttentionPart& attention, const FfnPart& ffn,
                        Round& round) const {
  const Disaggregated& d = deployment_;
  const bool core = d.boundary == Boundary::core,
             in_line = setting_.engine_of_pools().time.transfers.in_line;
  // Tokens that an instance of each pool sends or receives each way: every attention instance
  // exchanges its tokens with every FFN instance of a replica or, cut at the core, each with one.
  const double from_each = s.tokens / real(d.attention.instances);
  const double at_attention = core ? from_each : from_each * s.instances_in_replica;
  const double at_ffn =
      core ? s.tokens / real(d.ffn.instances) : s.tokens_per_replica * s.replicas_in_instance;
  const size_t kinds = setting_.shapes->size();
  if (round.runs.size() != kinds) round.runs = PerKind<LayerRun>(kinds);
  for (size_t kind = 0; kind < kinds; ++kind) {
    // Stages that store into the other pool have sent when they end.
    const auto travel = [&](Bytes each) {
      return edges_[kind] ? *edges_[kind] : network_time(at_attention, at_ffn, each);
    };
    const Seconds out = travel(messages_[kind].out), back = travel(messages_[kind].back);
    LayerRun& run = round.runs[kind];
    run.layers = (*setting_.shapes)[kind].layers;
    run.stages = in_line ? StageTimes{attention.stage[kind] + out + back, Seconds(0),
                                      ffn.stage[kind], Seconds(0)}
                         : StageTimes{attention.stage[kind], out, ffn.stage[kind], back};
  }
  // Drafts run one more layer of the main kind each, with its own round through the pools.
  if (setting_.speculation.drafts > 0) round.runs[main_kind_].layers += setting_.speculation.drafts;
  round.head = attention.head + ffn.head;
  round.requests_per_unit = s.mean_requests();
  round.tokens_per_replica = s.tokens_per_replica;
}

PairMemory PoolPair::memory_of(const Round& round) const {
  PairMemory memory = memory_;
  memory.attention.count = round.requests_per_unit;
  memory.ffn.count = round.tokens_per_replica / query_tokens(setting_);
  return memory;
}

std::optional<Verdict> without_room(const MemoryUse& attention, const MemoryUse& ffn) {
  if (ffn.total() > ffn.capacity) return Verdict::ffn_memory;
  if (attention.total() > attention.capacity) return Verdict::attention_memory;
  return std::nullopt;
}

StepOutcome PoolPair::outcome(const Round& round, std::int64_t batch) const {
  const int micro_batches = deployment_.micro_batches;
  const std::int64_t gpus = deployment_.attention.size() + deployment_.ffn.size();
  StepOutcome out;
  out.step =
      step_time({std::span(round.runs.data(), round.runs.size()), round.head, micro_batches});
  out.tpot = out.step / tokens_per_step_;
  const Tokens yielded = Tokens(real(batch) * tokens_per_step_);
  out.tokens_per_gpu = yielded / out.step / real(gpus);
  out.cost = price_ * out.step / yielded;
  const PairMemory memory = memory_of(round);
  const Verdict in_memory = out.tpot > setting_.tpot_limit ? Verdict::slow : Verdict::feasible;
  out.verdict = without_room(memory.attention.use(), memory.ffn.use()).value_or(in_memory);
  return out;
}

Evaluation PoolPair::evaluation(const Round& round, std::int64_t batch) const {
  const int micro_batches = deployment_.micro_batches;
  Evaluation result;
  static_cast<StepOutcome&>(result) = outcome(round, batch);
  result.gpus = deployment_.attention.size() + deployment_.ffn.size();
  result.batch = real(batch);
  result.runs = round.runs;
  result.main_kind = main_kind_;
  result.head = round.head;
  result.bound = pipeline_bound(round.runs[main_kind_].stages, micro_batches);
  const PairMemory memory = memory_of(round);
  result.attention_memory = memory.attention.use();
  result.ffn_memory = memory.ffn.use();
  result.largest_batch = std::min(memory.attention.largest_batch(micro_batches),
                                  memory.ffn.largest_batch(micro_batches));
  return result;
}

}  // namespace afford
