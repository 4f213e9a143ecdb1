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

}  // namespace

bool PairBatches::serve(const Setting& setting) {
  const std::vector<double> layers = layers_run(setting);
  return std::accumulate(layers.begin(), layers.end(), 0.0) > 1;
}

PairBatches::PairBatches(std::span<const std::int64_t> each, size_t kinds)
    : each_(each.begin(), each.end()),
      attention_(kinds, each.size()),
      longest_(kinds, each.size()),
      sum_(kinds, each.size()) {
  for (std::vector<double>* array :
       {&at_attention_, &at_ffn_, &a2f_, &f2a_, &laps_, &alone_, &extra_, &out_.step, &out_.tpot,
        &out_.tpot_ms, &out_.tokens_per_gpu_s, &out_.usd_per_mtok})
    array->resize(each.size());
}

std::optional<Verdict> PairBatches::room(const PoolPair& pair, const PairMemory& memory,
                                         size_t batch) const {
  const double q = query_tokens(pair.setting_), requests = each_[batch];
  const double units = real(pair.deployment_.attention_units());
  PairMemory filled = memory;
  filled.attention.count = requests;
  filled.ffn.count = requests * units * q / pair.shares_.replicas / q;
  return without_room(filled.attention.use(), filled.ffn.use());
}

size_t PairBatches::fitting(const PoolPair& pair, const PairMemory& memory) const {
  size_t fit = 0, beyond = each_.size();
  while (fit < beyond) {
    const size_t middle = fit + (beyond - fit) / 2;
    if (room(pair, memory, middle)) {
      beyond = middle;
    } else {
      fit = middle + 1;
    }
  }
  return fit;
}

Verdict PairBatches::lacking(const PoolPair& pair, const PairMemory& memory, size_t batch) const {
  return room(pair, memory, batch).value();
}

void PairBatches::go_round(const PoolPair& pair, const StageArrays& attention,
                           const StageArrays& ffn, size_t count) {
  const Disaggregated& d = pair.deployment_;
  const Shares& s = pair.shares_;
  const bool core = d.boundary == Boundary::core;
  const double q = query_tokens(pair.setting_), units = real(d.attention_units());
  const double instances = real(d.attention.instances), ffn_instances = real(d.ffn.instances);
  for (size_t b = 0; b < count; ++b) {
    const double tokens = each_[b] * units * q;
    const double from_each = tokens / instances;
    at_attention_[b] = core ? from_each : from_each * s.instances_in_replica;
    at_ffn_[b] = core ? tokens / ffn_instances : tokens / s.replicas * s.replicas_in_instance;
    attention_.head()[b] = attention.head()[b] + ffn.head()[b];
  }
  layers_ = layers_run(pair.setting_);
  for (size_t kind = 0; kind < layers_.size(); ++kind) {
    travel(pair, kind, count);
    add_stages(pair, kind, attention.stage(kind), ffn.stage(kind), count);
  }
}

/// Both ways of one kind of layer. Mostly as long as those of the kind before.
void PairBatches::travel(const PoolPair& pair, size_t kind, size_t count) {
  if (const std::optional<Seconds>& edge = pair.edges_[kind]) {
    std::fill_n(a2f_.begin(), count, edge->base());
    std::fill_n(f2a_.begin(), count, edge->base());
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
    for (size_t b = 0; b < count; ++b) {
      time[b] = StepSum::larger(attention[b] * bytes / attention_rate, ffn[b] * bytes / ffn_rate) +
                latency;
    }
  };
  way(pair.messages_[kind].out, a2f_.data());
  way(pair.messages_[kind].back, f2a_.data());
}

void PairBatches::add_stages(const PoolPair& pair, size_t kind, const double* attention,
                             const double* ffn, size_t count) {
  const bool in_line = pair.setting_.engine_of_pools().time.transfers.in_line;
  double* own = attention_.stage(kind);
  double* longest = longest_.stage(kind);
  double* sum = sum_.stage(kind);
  const double *out = a2f_.data(), *back = f2a_.data();
  if (in_line) {
    for (size_t b = 0; b < count; ++b) {
      own[b] = attention[b] + out[b] + back[b];
      longest[b] = StepSum::larger(own[b], ffn[b]);
      sum[b] = own[b] + ffn[b];
    }
    return;
  }
  for (size_t b = 0; b < count; ++b) {
    own[b] = attention[b];
    longest[b] =
        StepSum::larger(StepSum::larger(attention[b], out[b]), StepSum::larger(ffn[b], back[b]));
    sum[b] = attention[b] + out[b] + ffn[b] + back[b];
  }
}

void PairBatches::take_steps(const PoolPair& pair, int micro_batches, size_t first, size_t count) {
  const size_t end = first + count;
  const double m = micro_batches, units = real(pair.deployment_.attention_units());
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
  const double per_step = pair.tokens_per_step_;
  const double gpus = real(pair.deployment_.attention.size() + pair.deployment_.ffn.size());
  double *step = out_.step.data(), *tpot = out_.tpot.data(), *tpot_ms = out_.tpot_ms.data(),
         *tokens = out_.tokens_per_gpu_s.data();
  for (size_t b = first; b < end; ++b) {
    step[b] = StepSum::larger(alone[b], laps[b] + extra[b]);
    tpot[b] = step[b] / per_step;
    tpot_ms[b] = tpot[b] / millisecond.base();
    tokens[b] = each_[b] * units * m * per_step / step[b] / gpus;
  }
}

void PairBatches::price(const PoolPair& pair, int micro_batches, size_t first, size_t count) {
  const double price = pair.price_.base(), per_step = pair.tokens_per_step_;
  const double units = real(pair.deployment_.attention_units());
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

Seconds PairBatches::least_tpot(const PoolPair& pair, int micro_batches, size_t batch) const {
  return Seconds(laps_of(micro_batches, batch).least() / pair.tokens_per_step_);
}

Seconds PairBatches::most_tpot(const PoolPair& pair, int micro_batches, size_t batch) const {
  const double step = laps_of(micro_batches, batch).most(attention_.head()[batch], micro_batches);
  return Seconds(step / pair.tokens_per_step_);
}

StepOutcome PairBatches::bound(const PoolPair& pair, int micro_batches, size_t first,
                               size_t last) const {
  const double units = real(pair.deployment_.attention_units());
  const double gpus = real(pair.deployment_.attention.size() + pair.deployment_.ffn.size());
  const Seconds step(laps_of(micro_batches, first).least());
  const Tokens yielded(each_[last] * units * micro_batches * pair.tokens_per_step_);
  StepOutcome out;
  out.step = step;
  out.tpot = step / pair.tokens_per_step_;
  out.tokens_per_gpu = yielded / step / gpus;
  out.cost = pair.price_ * step / yielded;
  return out;
}

}  // namespace afford
