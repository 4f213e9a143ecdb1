#include "layer/head.hpp"

#include "kernels/dense.hpp"
#include "kernels/small.hpp"

namespace afford {
namespace {

/// The tokens of n accelerators over an nth of the vocabulary. Where no curve was measured, each of
/// its launches has an equal part of it.
Op lm_head(const ModelSpec& model, double tokens, double n, const Machine& machine) {
  const double hidden = real(model.hidden), vocab = real(model.vocab);
  const double kernels =
      dense_curve(Dtype::bf16, machine).curve != nullptr ? 1 : machine.engine->kernels.head;
  return dense({.name = "LM head",
                .rows = n * tokens,
                .inputs = hidden,
                .outputs = vocab / n / kernels,
                .weights = head_format(model),
                .activations = size_of(Dtype::bf16, tokens * (n * hidden + vocab)),
                .kernels = kernels},
               machine);
}

template <class Ops>
Ops head_side(const ModelSpec& model, double tokens, std::int64_t instance,
              const Machine& machine) {
  const double vocab = real(model.vocab);
  const KernelCounts& counts = machine.engine->kernels;
  Ops ops;
  ops.add(elementwise({.name = "embedding",
                       .bytes = size_of(Dtype::bf16, 2 * tokens * real(model.hidden)),
                       .kernels = counts.embedding},
                      machine));
  ops.add(lm_head(model, tokens, real(instance), machine));
  ops.add(elementwise({.name = "sampling",
                       .bytes = size_of(Dtype::fp32, 2 * tokens * vocab),
                       .kernels = counts.sampling},
                      machine));
  return ops;
}

}  // namespace

OpList head_ops(const ModelSpec& model, double tokens, std::int64_t instance,
                const Machine& machine) {
  return head_side<OpList>(model, tokens, instance, machine);
}

Seconds head_time(const ModelSpec& model, double tokens, std::int64_t instance,
                  const Machine& machine) {
  return head_side<OpTime>(model, tokens, instance, machine).time();
}

}  // namespace afford
