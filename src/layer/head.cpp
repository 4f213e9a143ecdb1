#include "layer/head.hpp"

namespace afford {
namespace {

/// The tokens of n accelerators over an nth of the vocabulary. Where no curve was measured, each of
/// its launches has an equal part of it.
DenseShape lm_head(const ModelSpec& model, double n, const Machine& machine) {
  const double hidden = real(model.hidden), vocab = real(model.vocab);
  const double kernels =
      dense_curve(Dtype::bf16, machine).curve != nullptr ? 1 : machine.engine->kernels.head;
  return {.name = "LM head",
          .inputs = hidden,
          .outputs = vocab / n / kernels,
          .weights = head_format(model),
          .kernels = kernels,
          .rows = {.times = n},
          .in = {.values = n * hidden + vocab, .bytes = bytes_of(Dtype::bf16)}};
}

template <class Ops>
void add_head(Ops& ops, const ModelSpec& model, std::int64_t instance) {
  constexpr double inout = 2;
  const Machine& machine = ops.machine();
  const KernelCounts& counts = machine.engine->kernels;
  ops.add(
      SmallShape{.name = "embedding",
                 .moved = {.values = real(model.hidden), .bytes = inout * bytes_of(Dtype::bf16)},
                 .kernels = counts.embedding});
  ops.add(lm_head(model, real(instance), machine));
  ops.add(SmallShape{.name = "sampling",
                     .moved = {.values = real(model.vocab), .bytes = inout * bytes_of(Dtype::fp32)},
                     .kernels = counts.sampling});
}

}  // namespace

OpList head_ops(const ModelSpec& model, double tokens, std::int64_t instance,
                const Machine& machine) {
  OpMaker ops({.tokens = tokens}, machine);
  add_head(ops, model, instance);
  return ops.ops();
}

Seconds HeadPlan::time(double tokens, const Machine& machine) {
  return stage_.time({.tokens = tokens}, machine,
                     [&](auto& ops) { add_head(ops, model_, instance_); });
}

Seconds head_time(const ModelSpec& model, double tokens, std::int64_t instance,
                  const Machine& machine) {
  return HeadPlan(model, instance).time(tokens, machine);
}

}  // namespace afford
