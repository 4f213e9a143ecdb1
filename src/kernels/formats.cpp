#include "kernels/formats.hpp"

namespace afford {

Dtype compute_format(const HardwareSpec& chip, Dtype wanted) {
  if (find_peak(chip, wanted) != nullptr) return wanted;
  // FP4 widens to FP8 first. Everything a chip lacks ends at BF16, which the loader insists on.
  if (wanted == Dtype::fp4) return compute_format(chip, Dtype::fp8);
  return Dtype::bf16;
}

Dtype storage_format(const HardwareSpec& chip, Dtype wanted) {
  return wanted == Dtype::fp8 && find_peak(chip, Dtype::fp8) == nullptr ? Dtype::int8 : wanted;
}

Precision precision_on(const HardwareSpec& chip, const Precision& wanted) {
  return {.attention_weights = storage_format(chip, wanted.attention_weights),
          .ffn_weights = storage_format(chip, wanted.ffn_weights),
          .kv = storage_format(chip, wanted.kv),
          .attention_compute = compute_format(chip, wanted.attention_compute),
          .linear_compute = compute_format(chip, wanted.linear_compute),
          .ffn_compute = compute_format(chip, wanted.ffn_compute),
          .source = wanted.source};
}

bool falls_back(const HardwareSpec& chip, const Precision& wanted) {
  const Precision got = precision_on(chip, wanted);
  return got.kv != wanted.kv || got.attention_weights != wanted.attention_weights ||
         got.ffn_weights != wanted.ffn_weights ||
         got.attention_compute != wanted.attention_compute ||
         got.linear_compute != wanted.linear_compute || got.ffn_compute != wanted.ffn_compute;
}

bool widened(const HardwareSpec& chip, Dtype weights, Dtype compute) {
  if (bits_of(weights) >= 8) return false;
  const bool blocks = weights == Dtype::mxfp4 || weights == Dtype::nvfp4;
  if (blocks && find_peak(chip, Dtype::fp4) != nullptr) return false;
  return compute_format(chip, compute) == Dtype::bf16;
}

FlopsPerByte ridge(const HardwareSpec& chip, Dtype compute) {
  return find_peak(chip, compute_format(chip, compute))->rate.value / chip.memory_bandwidth.value;
}

}  // namespace afford
