#include <fmt/format.h>

#include "records/simulation.hpp"
#include "text/quantity.hpp"

namespace afford {
namespace {

std::string number(double value) { return shown(Cell(value), Show::scientific); }

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

std::string layer_name(const ModelSpec& model, size_t kind) {
  const LayerKind& layer = model.layer_kinds[kind];
  return fmt::format("{}/{}", model.attentions[layer.attention].name, model.ffns[layer.ffn].name);
}

std::string stages_text(const ModelSpec& model, const Evaluation& e) {
  std::string out;
  for (size_t k = 0; k < e.kinds; ++k) {
    const StageTimes& t = e.runs[k].stages;
    out += fmt::format(
        "  {} layers of {}: attention {:.0f}, A->F {:.0f}, FFN {:.0f}, F->A {:.0f} us; slack of "
        "attention {:.0f}, FFN {:.0f} us\n",
        e.runs[k].layers, layer_name(model, k), t.attention / microsecond, t.a2f / microsecond,
        t.ffn / microsecond, t.f2a / microsecond, (t.longest() - t.attention) / microsecond,
        (t.longest() - t.ffn) / microsecond);
  }
  return out;
}

std::string experts_text(const study::OperationDetail::Experts& experts, std::int64_t seed) {
  return fmt::format(
      "  expert load ({}): {:.1f} of {} experts active, busiest expert {:.0f} tokens, busiest of "
      "{} groups {:.0f} pairs (mean {:.0f}; {:.0f} with sampling noise, seed {})\n",
      experts.routing, experts.load.active_experts, experts.layout.experts,
      experts.load.busiest_expert, experts.layout.groups, experts.load.busiest_group,
      experts.load.mean_group, experts.sampled_busiest_group, seed);
}

std::string memory_text(std::string_view pool, const MemoryUse& m) {
  return fmt::format("  {} memory an accelerator: weights {}, cache {}, buffers {}, of {} usable\n",
                     pool, human(m.weights), human(m.cache), human(m.buffers), human(m.capacity));
}

}  // namespace

std::string explanation_of(const study::Simulation& s, std::int64_t seed) {
  if (!s.detail) return "";
  const Evaluation& e = s.result.evaluation;
  std::string out =
      fmt::format("\n{} {} at {} tokens: one layer of {} and one micro-batch, on one accelerator\n",
                  s.model->name, s.label, s.setting.context, layer_name(*s.model, s.detail->kind));
  out += operations_text("attention", s.detail->ops.attention);
  out += operations_text("FFN", s.detail->ops.ffn);
  out += fmt::format("  network: A->F {:.1f} us, F->A {:.1f} us, at the same time\n",
                     s.stages().a2f / microsecond, s.stages().f2a / microsecond);
  out += stages_text(*s.model, e);
  if (s.result.events) {
    out += fmt::format("  attention pool busy {:.1f} %, FFN pool busy {:.1f} %, bubble {:.1f} %\n",
                       100 * s.result.events->busy[0], 100 * s.result.events->busy[2],
                       100 * s.result.events->bubble);
  }
  if (s.detail->experts) out += experts_text(*s.detail->experts, seed);
  out += memory_text("attention", e.attention_memory);
  if (s.result.events) out += memory_text("FFN", e.ffn_memory);
  return out;
}

}  // namespace afford
