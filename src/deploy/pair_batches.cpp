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

PairBatches::PairBatches(std::span<const std::int64_t> each, const Setting& setting)
    : each_(each.begin(), each.end()),
      went_(each.size()),
      kinds_(setting.shapes->size()),
      heads_(each.size()),
      rounds_(each.size() * kinds_.size()) {
  const std::vector<double> layers = layers_run(setting);
  for (size_t kind = 0; kind < kinds_.size(); ++kind) kinds_[kind].layers = layers[kind];
  for (std::vector<double>* array :
       {&out_.step, &out_.tpot, &out_.tpot_ms, &out_.tokens_per_gpu_s, &out_.usd_per_mtok})
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
             .attention_head = attention.head(),
             .ffn_head = ffn.head(),
             .query_tokens = query_tokens(pair.setting_),
             .units = real(d.attention_units()),
             .gpus = real(d.attention.size() + d.ffn.size()),
             .instances = real(d.attention.instances),
             .ffn_instances = real(d.ffn.instances),
             .attention_rate = pair.attention_rate_.base(),
             .ffn_rate = pair.ffn_rate_.base(),
             .latency = pair.setting_.engine_of_pools().time.transfers.latency.base(),
             .core = d.boundary == Boundary::core,
             .in_line = pair.setting_.engine_of_pools().time.transfers.in_line};
  for (size_t kind = 0; kind < kinds_.size(); ++kind) {
    FacingKind& own = kinds_[kind];
    own.attention = attention.stage(kind);
    own.ffn = ffn.stage(kind);
    own.edge = pair.edges_[kind];
    own.out = pair.messages_[kind].out.base();
    own.back = pair.messages_[kind].back.base();
    own.as_before = kind > 0 && own.edge == kinds_[kind - 1].edge &&
                    own.out == kinds_[kind - 1].out && own.back == kinds_[kind - 1].back;
  }
  ++pairs_;
}

void PairBatches::go_round(size_t batch) {
  const Facing& f = facing_;
  const Shares& s = f.pair->shares_;
  const double tokens = each_[batch] * f.units * f.query_tokens;
  const double from_each = tokens / f.instances;
  const double at_attention = f.core ? from_each : from_each * s.instances_in_replica;
  const double at_ffn =
      f.core ? tokens / f.ffn_instances : tokens / s.replicas * s.replicas_in_instance;
  const auto travel = [&](double bytes) {
    return StepSum::larger(at_attention * bytes / f.attention_rate, at_ffn * bytes / f.ffn_rate) +
           f.latency;
  };
  double out = 0, back = 0;
  KindOfRound* round = rounds_.data() + batch * kinds_.size();
  for (const FacingKind& own : kinds_) {
    if (own.edge) {
      out = back = own.edge->base();
    } else if (!own.as_before) {
      out = travel(own.out), back = travel(own.back);
    }
    *round++ = gone_round(own.attention[batch], out, own.ffn[batch], back);
  }
  heads_[batch] = f.attention_head[batch] + f.ffn_head[batch];
  went_[batch] = pairs_;
}

PairBatches::KindOfRound PairBatches::gone_round(double attention, double out, double ffn,
                                                 double back) const {
  if (facing_.in_line) {
    const double own = attention + out + back;
    return {own, StepSum::larger(own, ffn), own + ffn};
  }
  return {attention, StepSum::larger(StepSum::larger(attention, out), StepSum::larger(ffn, back)),
          attention + out + ffn + back};
}

std::vector<double> PairBatches::alone(const StageArrays& attention) const {
  std::vector<double> alone(attention.head(), attention.head() + attention.batches());
  for (size_t kind = 0; kind < kinds_.size(); ++kind) {
    for (size_t b = 0; b < alone.size(); ++b)
      alone[b] += kinds_[kind].layers * attention.stage(kind)[b];
  }
  return alone;
}

double PairBatches::step_of(double micro_batches, size_t batch) const {
  const double head = heads_[batch];
  const KindOfRound* round = rounds_.data() + batch * kinds_.size();
  StepSum step(head, micro_batches);
  for (const FacingKind& kind : kinds_) {
    KindOfStep{kind.layers, micro_batches}.add(step, round->attention, round->longest, round->sum,
                                               head);
    ++round;
  }
  return step.step();
}

void PairBatches::take_steps(int micro_batches, size_t first, size_t count) {
  const double m = micro_batches, units = facing_.units;
  const double per_step = facing_.pair->tokens_per_step_, gpus = facing_.gpus;
  for (size_t b = first; b < first + count; ++b) {
    const double step = step_of(m, b);
    out_.step[b] = step;
    out_.tpot[b] = step / per_step;
    out_.tpot_ms[b] = out_.tpot[b] / millisecond.base();
    out_.tokens_per_gpu_s[b] = each_[b] * units * m * per_step / step / gpus;
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
  const KindOfRound* round = rounds_.data() + batch * kinds_.size();
  StepSum sum(heads_[batch], m);
  for (const FacingKind& kind : kinds_) {
    sum.laps += kind.layers * StepSum::larger(m * round->longest, round->sum);
    sum.alone += kind.layers * m * round->attention;
    ++round;
  }
  return sum;
}

Seconds PairBatches::least_tpot(int micro_batches, size_t batch) const {
  return Seconds(laps_of(micro_batches, batch).least() / facing_.pair->tokens_per_step_);
}

Seconds PairBatches::most_tpot(int micro_batches, size_t batch) const {
  const double step = laps_of(micro_batches, batch).most(heads_[batch], micro_batches);
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
