#include "kernels/prefill_core.hpp"

#include <algorithm>
#include <variant>

namespace afford {
namespace {

constexpr double bf16_bytes = 2;

/// What an accelerator has to do: its share of the heads, and the KV heads they need.
PrefillCore core_of(const AttentionShape& shape, const AttentionCount& count,
                    const PrefillWork& work) {
  const Walk& walk = count.core.walk.front();
  const double heads = count.query_rows * count.kv_heads, pair = flops_a_pair(shape, walk);
  const bool expanded = std::holds_alternative<Mla>(shape);  // a key and a value for each head
  const double kv_heads = expanded ? heads : double{count.kv_heads};
  const double both = pair / heads / 2;  // dimensions of a key and a value
  PrefillCore core{.heads = work.prompts * heads / work.ways,
                   .tokens = work.tokens,
                   .prefix = work.cached,
                   .flops_a_pair = pair / heads};
  if (walk.reach.kind != Reach::Kind::full) core.width = real(walk.reach.tokens);
  core.bytes = bf16_bytes * both *
               (work.tokens * core.heads +
                work.prompts * (work.cached + work.tokens) * std::max(1.0, kv_heads / work.ways));
  return core;
}

}  // namespace

OperationClass prefill_class(const AttentionShape& shape) {
  constexpr std::int64_t narrow = 128;  // the dimension that the kernel of GQA was measured at
  if (std::holds_alternative<Mla>(shape)) return OperationClass::mla_prefill;
  if (std::holds_alternative<Mfa>(shape)) return OperationClass::mfa_prefill;
  if (const Gqa* gqa = std::get_if<Gqa>(&shape))
    return gqa->head_dim > narrow ? OperationClass::mfa_prefill : OperationClass::gqa_prefill;
  return OperationClass::none;
}

double flops_a_pair(const AttentionShape& shape, const Walk& walk) {
  const auto expanded = [](const Mla& mla) {
    return 2 * real(mla.query_heads) * real(mla.nope_dim + mla.rope_dim + mla.value_dim);
  };
  if (walk.by == Walk::By::query_heads) {
    if (const Mla* mla = std::get_if<Mla>(&shape)) return expanded(*mla);
    if (const Dsa* dsa = std::get_if<Dsa>(&shape)) return expanded(dsa->mla);
  }
  return walk.flops;
}

const OperationCurve* prefill_curve(const AttentionShape& shape, const HardwareSpec& chip) {
  const ChipTiming* measured = chip.measured.get();
  if (measured == nullptr || !(measured->bf16 > 0)) return nullptr;
  return measured->find(prefill_class(shape), Dtype::bf16);
}

PrefillTime measured_prefill(const AttentionShape& shape, const AttentionCount& count,
                             const PrefillWork& work, const HardwareSpec& chip) {
  const OperationCurve& curve = *prefill_curve(shape, chip);
  const ChipTiming& measured = *chip.measured;
  const OperationWork asked = work_of(core_of(shape, count, work), measured.sms);
  const Seconds start = work.launched ? start_of(curve, asked) : Seconds(0);
  const double all = operation_seconds(curve, asked, {measured.read, measured.bf16});
  return {.time = Seconds(all) - start,
          .half_width = half_width(curve),
          .beyond = !curve.compute.covers(asked.compute_size)};
}

}  // namespace afford
