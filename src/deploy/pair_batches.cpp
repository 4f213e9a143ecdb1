#include "deploy/pair_batches.hpp"

#include <algorithm>
#include <numeric>

namespace afford {
namespace {

/// Layers of each kind that a step runs: drafts run one more of the main kind each.
std::vector<double> layers_run(const Setting& setting) {
  std::vector<double> layers;
  for (const LayerShape& shape : *setting.shapes) layers.push_back(real(shape.layers));
  layers[main_kind(*setting.shapes)] += setting.speculation.drafts;
  return layers;
}

/// How many of 0, 1 .. count - 1 come before the first that does not hold.
template <class Holds>
size_t first_not(size_t count, const Holds& holds) {
  size_t first = 0, beyond = count;
  while (first < beyond) {
    const size_t middle = first + (beyond - first) / 2;
    if (holds(middle)) {
      first = middle + 1;
    } else {
      beyond = middle;
    }
  }
  return first;
}

}  // namespace

bool PairBatches::serve(const Setting& setting) {
  const std::vector<double> layers = layers_run(setting);
  return std::accumulate(layers.begin(), layers.end(), 0.0) > 1;
}

PairBatches::PairBatches(std::span<const std::int64_t> each, size_t kinds)
    : each_(each.begin(), each.end()),
      round_(each.size()),
      attention_(kinds, each.size()),
      longest_(kinds, each.size()),
      sum_(kinds, each.size()) {
  for (std::vector<double>* array :
       {&at_attention_, &at_ffn_, &a2f_, &f2a_, &laps_, &alone_, &extra_, &out_.step, &out_.tpot,
        &out_.tpot_ms, &out_.tokens_per_gpu_s, &out_.usd_per_mtok})
    array->resize(each.size());
}

PairRoom PairBatches::room(const PoolPair& pair, const PairMemory& memory,
                           std::int64_t most_units) const {
  const double q = query_tokens(pair.setting_), replicas = pair.shares_.replicas;
  const auto holds = [](PoolMemory pool, double count) {
    pool.count = count;
    const MemoryUse use = pool.use();
    return !(use.total() > use.capacity);
  };
  PairRoom room;
  room.attention =
      first_not(each_.size(), [&](size_t batch) { return holds(memory.attention, each_[batch]); });
  const auto most = static_cast<size_t>(each_.back()) * static_cast<size_t>(most_units);
  room.ffn = static_cast<double>(first_not(most, [&](size_t requests) {
    return holds(memory.ffn, static_cast<double>(requests + 1) * q / replicas / q);
  }));
  return room;
}

size_t PairBatches::fitting(const PairRoom& room, std::int64_t units) const {
  const double each = real(units);
  const auto in_ffn = std::partition_point(
      each_.begin(), each_.begin() + static_cast<std::ptrdiff_t>(room.attention),
      [&](double requests) { return requests * each <= room.ffn; });
  return static_cast<size_t>(in_ffn - each_.begin());
}

Verdict PairBatches::lacking(const PairRoom& room, std::int64_t units, size_t batch) const {
  return each_[batch] * real(units) > room.ffn ? Verdict::ffn_memory : Verdict::attention_memory;
}

void PairBatches::face(const PoolPair& pair, const StageArrays& attention, const StageArrays& ffn) {
  const Disaggregated& d = pair.deployment_;
  facing_ = {.pair = &pair,
             .attention = &attention,
             .ffn = &ffn,
             .query_tokens = query_tokens(pair.setting_),
             .units = real(d.attention_units()),
             .gpus = real(d.attention.size() + d.ffn.size()),
             .in_line = pair.setting_.engine_of_pools().time.transfers.in_line};
  if (layers_.empty()) layers_ = layers_run(pair.setting_);
  ++pairs_;
}

void PairBatches::go_round(size_t first, size_t count) {
  const PoolPair& pair = *facing_.pair;
  const Disaggregated& d = pair.deployment_;
  const Shares& s = pair.shares_;
  const bool core = d.boundary == Boundary::core;
  const double q = facing_.query_tokens, units = facing_.units;
  const double instances = real(d.attention.instances), ffn_instances = real(d.ffn.instances);
  const double *attention = facing_.attention->head(), *ffn = facing_.ffn->head();
  const size_t last = first + count;
  for (size_t b = first; b < last; ++b) {
    const double tokens = each_[b] * units * q;
    const double from_each = tokens / instances;
    at_attention_[b] = core ? from_each : from_each * s.instances_in_replica;
    at_ffn_[b] = core ? tokens / ffn_instances : tokens / s.replicas * s.replicas_in_instance;
    attention_.head()[b] = attention[b] + ffn[b];
    round_[b] = pairs_;
  }
  for (size_t kind = 0; kind < layers_.size(); ++kind) {
    travel(kind, first, last);
    add_stages(kind, first, last);
  }
}

/// Both ways of one kind of layer. Mostly as long as those of the kind before.
void PairBatches::travel(size_t kind, size_t first, size_t last) {
  const PoolPair& pair = *facing_.pair;
  if (const std::optional<Seconds>& edge = pair.edges_[kind]) {
    std::fill(a2f_.data() + first, a2f_.data() + last, edge->base());
    std::fill(f2a_.data() + first, f2a_.data() + last, edge->base());
    return;
  }
  if (kind > 0 && !pair.edges_[kind - 1] && pair.messages_[kind] == pair.messages_[kind - 1])
    return;
  const double attention_rate = pair.attention_rate_.base(), ffn_rate = pair.ffn_rate_.base();
  const double latency = pair.setting_.engine_of_pools().time.transfers.latency.base();
  const auto way = [&](Bytes each_token, double* time) {
    const double bytes = each_token.base();
    const double* attention = at_attention_.data();
    const double* ffn = at_ffn_.data();
    for (size_t b = first; b < last; ++b) {
      time[b] = StepSum::larger(attention[b] * bytes / attention_rate, ffn[b] * bytes / ffn_rate) +
                latency;
    }
  };
  way(pair.messages_[kind].out, a2f_.data());
  way(pair.messages_[kind].back, f2a_.data());
}

void PairBatches::add_stages(size_t kind, size_t first, size_t last) {
  const double *attention = facing_.attention->stage(kind), *ffn = facing_.ffn->stage(kind);
  double* own = attention_.stage(kind);
  double* longest = longest_.stage(kind);
  double* sum = sum_.stage(kind);
  const double *out = a2f_.data(), *back = f2a_.data();
  if (facing_.in_line) {
    for (size_t b = first; b < last; ++b) {
      own[b] = attention[b] + out[b] + back[b];
      longest[b] = StepSum::larger(own[b], ffn[b]);
      sum[b] = own[b] + ffn[b];
    }
    return;
  }
  for (size_t b = first; b < last; ++b) {
    own[b] = attention[b];
    longest[b] =
        StepSum::larger(StepSum::larger(attention[b], out[b]), StepSum::larger(ffn[b], back[b]));
    sum[b] = attention[b] + out[b] + ffn[b] + back[b];
  }
}

void PairBatches::take_steps(int micro_batches, size_t first, size_t count) {
  const size_t end = first + count;
  const double m = micro_batches, units = facing_.units;
  const double* head = attention_.head();
  double *laps = laps_.data(), *alone = alone_.data(), *extra = extra_.data();
  for (size_t b = first; b < end; ++b) {
    const StepSum none(head[b], m);
    laps[b] = none.laps, alone[b] = none.alone, extra[b] = none.extra;
  }
  for (size_t kind = 0; kind < layers_.size(); ++kind) {
    const KindOfStep own{layers_[kind], m};
    const double *attention = attention_.stage(kind), *longest = longest_.stage(kind),
                 *sum = sum_.stage(kind);
    for (size_t b = first; b < end; ++b) {
      StepSum step;
      step.laps = laps[b], step.alone = alone[b], step.extra = extra[b];
      own.add(step, attention[b], longest[b], sum[b], head[b]);
      laps[b] = step.laps, alone[b] = step.alone, extra[b] = step.extra;
    }
  }
  const double per_step = facing_.pair->tokens_per_step_, gpus = facing_.gpus;
  double *step = out_.step.data(), *tpot = out_.tpot.data(), *tpot_ms = out_.tpot_ms.data(),
         *tokens = out_.tokens_per_gpu_s.data();
  for (size_t b = first; b < end; ++b) {
    step[b] = StepSum::larger(alone[b], laps[b] + extra[b]);
    tpot[b] = step[b] / per_step;
    tpot_ms[b] = tpot[b] / millisecond.base();
    tokens[b] = each_[b] * units * m * per_step / step[b] / gpus;
  }
}

void PairBatches::price(int micro_batches, size_t first, size_t count) {
  const double price = facing_.pair->price_.base(), per_step = facing_.pair->tokens_per_step_;
  const double units = facing_.units;
  for (size_t b = first; b < first + count; ++b) {
    const double yielded = each_[b] * units * micro_batches * per_step;
    out_.usd_per_mtok[b] = price * out_.step[b] / yielded / usd_per_mtok.base();
  }
}

/// The layers of a step, without what the heads delay.
StepSum PairBatches::laps_of(int micro_batches, size_t batch) const {
  const double m = micro_batches;
  StepSum sum(attention_.head()[batch], m);
  for (size_t kind = 0; kind < layers_.size(); ++kind) {
    const double cycle = StepSum::larger(m * longest_.stage(kind)[batch], sum_.stage(kind)[batch]);
    sum.laps += layers_[kind] * cycle;
    sum.alone += layers_[kind] * m * attention_.stage(kind)[batch];
  }
  return sum;
}

Seconds PairBatches::least_tpot(int micro_batches, size_t batch) const {
  return Seconds(laps_of(micro_batches, batch).least() / facing_.pair->tokens_per_step_);
}

Seconds PairBatches::most_tpot(int micro_batches, size_t batch) const {
  const double step = laps_of(micro_batches, batch).most(attention_.head()[batch], micro_batches);
  return Seconds(step / facing_.pair->tokens_per_step_);
}

StepOutcome PairBatches::bound(int micro_batches, size_t first, size_t last) const {
  const double per_step = facing_.pair->tokens_per_step_;
  const Seconds step(laps_of(micro_batches, first).least());
  const Tokens yielded(each_[last] * facing_.units * micro_batches * per_step);
  StepOutcome out;
  out.step = step;
  out.tpot = step / per_step;
  out.tokens_per_gpu = yielded / step / facing_.gpus;
  out.cost = facing_.pair->price_ * step / yielded;
  return out;
}

}  // namespace afford
