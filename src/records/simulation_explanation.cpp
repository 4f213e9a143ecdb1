#include <fmt/format.h>

#include "records/simulation.hpp"
#include "text/quantity.hpp"

namespace afford {
namespace {

std::string number(double value) { return shown(Cell(value), Show::scientific); }

/// The stages of a layer with their operations, in order.
std::vector<std::pair<std::string_view, const OpList*>> stages_of(const study::Simulation& s) {
  const StageOps& ops = s.detail->ops;
  std::vector<std::pair<std::string_view, const OpList*>> stages{{"attention", &ops.attention}};
  if (ops.shared.begin() != ops.shared.end()) stages.emplace_back("shared experts", &ops.shared);
  stages.emplace_back(s.detail->experts && !s.result.events ? "experts" : "FFN", &ops.ffn);
  return stages;
}

std::string operations_text(std::string_view title, const OpList& ops) {
  std::string out = fmt::format("  {} {:.1f} us\n", title, ops.time() / microsecond);
  for (const Op& op : ops) {
    out += fmt::format(
        "    {:<24}{:>8.1f} us  {:<9}{:>4} kernel{} {:>9} FLOP {:>8} B weights {:>8} B cache {:>8} "
        "B moved{}{}\n",
        op.name, op.time / microsecond, name_of(op.bound), op.kernels, op.kernels == 1 ? " " : "s",
        number(op.flops.base()), number(op.weights.base()), number(op.cache.base()),
        number(op.moved.base()), op.hidden ? "  (hidden)" : "",
        op.beyond ? "  (outside the measured range)" : "");
  }
  return out;
}

std::string stages_text(const study::Simulation& s) {
  const bool pools = s.result.events.has_value();
  const std::string_view out_name = pools ? "A->F" : "dispatch", back = pools ? "F->A" : "combine";
  const Evaluation& e = s.result.evaluation;
  std::string out;
  for (size_t k = 0; k < e.runs.size(); ++k) {
    const StageTimes& t = e.runs[k].stages;
    out +=
        fmt::format("  {} layers of {}: attention {:.0f}, {} {:.0f}, FFN {:.0f}, {} {:.0f} us",
                    e.runs[k].layers, layer_name(*s.model, k), t.attention / microsecond, out_name,
                    t.a2f / microsecond, t.ffn / microsecond, back, t.f2a / microsecond);
    if (pools) {
      out += fmt::format("; slack of attention {:.0f}, FFN {:.0f} us",
                         (t.longest() - t.attention) / microsecond,
                         (t.longest() - t.ffn) / microsecond);
    }
    out += "\n";
  }
  return out;
}

/// What a step of a co-located engine adds up to.
std::string sum_text(const study::Simulation& s, const StepParts& parts) {
  const Evaluation& e = s.result.evaluation;
  std::string out = fmt::format(
      "  step: attention {:.2f} + FFN {:.2f} + network {:.2f} + LM head, sampling {:.2f} + host "
      "{:.2f}",
      parts.attention / millisecond, parts.ffn / millisecond, parts.network / millisecond,
      parts.head / millisecond, parts.host / millisecond);
  if (parts.hops > Seconds(0)) out += fmt::format(" + hops {:.2f}", parts.hops / millisecond);
  const double more = (e.step - parts.sum()) / millisecond;
  constexpr double shows = 0.005;  // in two digits
  if (more > shows) out += fmt::format(" + waiting for the fullest stage {:.2f}", more);
  if (more < -shows) out += fmt::format(" - {:.2f} at the same time", -more);
  out += fmt::format(" = {:.2f} ms", e.step / millisecond);
  const double tokens = tokens_per_step(s.setting.speculation);
  if (tokens != 1)
    out += fmt::format(", {:.3g} tokens: TPOT {:.2f} ms", tokens, e.tpot / millisecond);
  return out + "\n";
}

/// What decides a step of pools.
std::string bounds_text(const study::Simulation& s) {
  const Evaluation& e = s.result.evaluation;
  Seconds longest, way = e.head;
  for (size_t k = 0; k < e.runs.size(); ++k) {
    const double layers = real(e.runs[k].layers);
    longest += layers * e.runs[k].stages.longest();
    way += layers * e.runs[k].stages.sum();
  }
  return fmt::format(
      "  step: {} micro-batches x {:.2f} ms of longest stages = {:.2f} ms, a micro-batch's way "
      "with the LM head {:.2f} ms; by events {:.2f} ms\n",
      s.micro_batches, longest / millisecond, s.micro_batches * longest / millisecond,
      way / millisecond, e.step / millisecond);
}

std::string network_text(const study::Simulation& s) {
  const double out = s.stages().a2f / microsecond, back = s.stages().f2a / microsecond;
  if (s.result.events) {
    return fmt::format("  network: A->F {:.1f} us, F->A {:.1f} us, at the same time\n", out, back);
  }
  if (out + back <= 0) return "";
  return fmt::format("  network: dispatch {:.1f} us, combine {:.1f} us\n", out, back);
}

std::string experts_text(const study::OperationDetail::Experts& experts, std::int64_t seed) {
  return fmt::format(
      "  expert load ({}): {:.1f} of {} experts active, busiest expert {:.0f} tokens, busiest of "
      "{} groups {:.0f} pairs (mean {:.0f}; {:.0f} with sampling noise, seed {})\n",
      experts.routing, experts.load.active_experts, experts.layout.experts,
      experts.load.busiest_expert, experts.layout.groups, experts.load.busiest_group,
      experts.load.mean_group, experts.sampled_busiest_group, seed);
}

std::string memory_text(std::string_view which, const MemoryUse& m) {
  return fmt::format("  {} an accelerator: weights {}, cache {}, buffers {}, of {} usable\n", which,
                     human(m.weights), human(m.cache), human(m.buffers), human(m.capacity));
}

struct ListedOperation {
  std::int64_t row;
  const study::Simulation* of;
  std::string_view stage;
  const Op* op;
};

Record<ListedOperation> operation_record() {
  return {
      {{"row", "row", Show::plain}, [](const ListedOperation& l) { return l.row; }},
      {{"layer", "layer"},
       [](const ListedOperation& l) { return layer_name(*l.of->model, l.of->detail->kind); }},
      {{"stage", "stage"}, [](const ListedOperation& l) { return named(l.stage); }},
      {{"operation", "operation"}, [](const ListedOperation& l) { return named(l.op->name); }},
      {{"time_us", "us", Show::plain},
       [](const ListedOperation& l) { return l.op->time / microsecond; }},
      {{"bound", "bound"}, [](const ListedOperation& l) { return named(name_of(l.op->bound)); }},
      {{"kernels", "kernels", Show::plain}, [](const ListedOperation& l) { return l.op->kernels; }},
      {{"flop", "FLOP", Show::scientific},
       [](const ListedOperation& l) { return l.op->flops.base(); }},
      {{"weight_bytes", "B weights", Show::scientific},
       [](const ListedOperation& l) { return l.op->weights.base(); }},
      {{"cache_bytes", "B cache", Show::scientific},
       [](const ListedOperation& l) { return l.op->cache.base(); }},
      {{"moved_bytes", "B moved", Show::scientific},
       [](const ListedOperation& l) { return l.op->moved.base(); }},
      {{"hidden", "hidden"}, [](const ListedOperation& l) { return yes_or_no(l.op->hidden); }},
      {{"beyond_measured", "beyond measured"},
       [](const ListedOperation& l) { return yes_or_no(l.op->beyond); }}};
}

}  // namespace

Table operations_table(const study::Simulations& simulations) {
  std::vector<ListedOperation> all;
  for (size_t row = 0; row < simulations.rows.size(); ++row) {
    const study::Simulation& s = simulations.rows[row];
    if (!s.detail) continue;
    for (const auto& [stage, ops] : stages_of(s)) {
      for (const Op& op : *ops) all.push_back({static_cast<std::int64_t>(row), &s, stage, &op});
    }
  }
  Table table = table_of(operation_record(), all);
  table.title = "Operations of one layer and one micro-batch, on one accelerator";
  return table;
}

std::string explanation_of(const study::Simulation& s, std::int64_t seed) {
  if (!s.detail) return "";
  const Evaluation& e = s.result.evaluation;
  std::string out =
      fmt::format("\n{} {} at {} tokens: one layer of {} and one micro-batch, on one accelerator\n",
                  s.model->name, s.label, s.setting.context, layer_name(*s.model, s.detail->kind));
  for (const auto& [stage, ops] : stages_of(s)) out += operations_text(stage, *ops);
  out += network_text(s) + stages_text(s);
  out += s.detail->step ? sum_text(s, *s.detail->step) : bounds_text(s);
  if (s.result.events) {
    out += fmt::format("  attention pool busy {:.1f} %, FFN pool busy {:.1f} %, bubble {:.1f} %\n",
                       100 * s.result.events->busy[0], 100 * s.result.events->busy[2],
                       100 * s.result.events->bubble);
  }
  if (s.detail->experts) out += experts_text(*s.detail->experts, seed);
  out += memory_text(s.result.events ? "attention memory" : "memory", e.attention_memory);
  if (s.result.events) out += memory_text("FFN memory", e.ffn_memory);
  return out;
}

}  // namespace afford
