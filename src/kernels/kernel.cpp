#include "kernels/kernel.hpp"

#include "kernels/attention_core.hpp"
#include "kernels/dense.hpp"
#include "kernels/mlp.hpp"
#include "kernels/prefill_core.hpp"

namespace afford {
namespace {

Op core_of(const Kernel& kernel, const Machine& machine) {
  // The hidden size is of the projections alone.
  return attention_core(count_attention(kernel.attention, 1, Convention::exact),
                        {.requests = kernel.requests,
                         .context = kernel.context,
                         .cache = kernel.storage,
                         .compute = kernel.compute},
                        machine);
}

/// Causal attention of whole prompts.
Op prefill_of(const Kernel& kernel, const Machine& machine) {
  const HardwareSpec& chip = *machine.chip;
  const AttentionCount count = count_attention(kernel.attention, 1, Convention::exact);
  Op op{.name = "prefill core", .uncovered = prefill_curve(kernel.attention, chip) == nullptr};
  const double pairs = kernel.requests * kernel.context * (kernel.context + 1) / 2;
  op.flops = Flops(pairs * flops_a_pair(kernel.attention, count.core.walk.front()));
  op.bound = Limit::compute;
  if (op.uncovered) {
    op.time = op.flops / (share_on(chip, unmeasured_core_share) * machine.peak(kernel.compute));
    return op;
  }
  const PrefillTime time = measured_prefill(
      kernel.attention, count, {.prompts = kernel.requests, .tokens = kernel.context}, chip);
  op.time = time.time;
  op.beyond = time.beyond;
  return op;
}

MlpWork experts_of(const Kernel& kernel) {
  return {.groups = {MlpGroup{.rows = kernel.tokens,
                              .mlps = kernel.experts,
                              .intermediate = kernel.intermediate,
                              .inputs = kernel.hidden,
                              .format = kernel.storage}},
          .grouped = true,
          .compute = kernel.compute};
}

Op dense_of(const Kernel& kernel, const Machine& machine) {
  return dense({.name = "dense",
                .rows = kernel.m,
                .inputs = kernel.k,
                .outputs = kernel.n,
                .weights = kernel.storage,
                .compute = kernel.compute,
                .activations = size_of(kernel.compute, kernel.m * kernel.k) +
                               size_of(between_kernels, kernel.m * kernel.n)},
               machine);
}

}  // namespace

OpList kernel_ops(const Kernel& kernel, const Machine& machine) {
  OpList ops;
  switch (kernel.kind) {
    case Kernel::Kind::attention:
      ops.add(core_of(kernel, machine));
      break;
    case Kernel::Kind::prefill:
      ops.add(prefill_of(kernel, machine));
      break;
    case Kernel::Kind::experts:
      ops.add(mlp_up(experts_of(kernel), machine));
      if (!fuses_activation(experts_of(kernel), machine))
        ops.add(mlp_activation(experts_of(kernel), machine));
      ops.add(mlp_down(experts_of(kernel), machine));
      break;
    case Kernel::Kind::gate_up:
      ops.add(mlp_up(experts_of(kernel), machine));
      break;
    case Kernel::Kind::down:
      ops.add(mlp_down(experts_of(kernel), machine));
      break;
    case Kernel::Kind::dense:
      ops.add(dense_of(kernel, machine));
  }
  return ops;
}

}  // namespace afford
