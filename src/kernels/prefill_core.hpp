#pragma once
// The core of attention over a prompt, where its kernel was measured.

#include "calibration/chip_timing.hpp"
#include "spec/attention/count.hpp"
#include "spec/attention/kinds.hpp"
#include "spec/hardware.hpp"

namespace afford {

/// Share of the BF16 peak that the core reaches where no kernel was measured, on Hopper and
/// Blackwell; from the same fit as the engines' shares of products. FlashAttention-3 reaches up to
/// 0.75 of it on long prompts, less with a chunk of one.
inline constexpr double unmeasured_core_share = 0.5;

/// One layer's core over the new tokens of a prompt on one accelerator.
struct PrefillWork {
  double prompts = 1;             // alike, side by side
  double tokens = 0, cached = 0;  // cached: tokens before them whose cache is there
  double ways = 1;                // accelerators that share the heads
  bool launched = false;          // its launch is counted elsewhere
};

struct PrefillTime {
  Seconds time;
  double half_width = 0;  // of its interval, as a share: half_width() of the curve
  bool beyond = false;    // outside the sizes that were measured
};

/// The measured kernel that a kind of attention comes nearest to; none for cores that select or
/// pool entries, and for recurrent ones.
[[nodiscard]] OperationClass prefill_class(const AttentionShape& shape);

/// The chip's calibrated curve of that kernel; null where it has none.
[[nodiscard]] const OperationCurve* prefill_curve(const AttentionShape& shape,
                                                  const HardwareSpec& chip);

/// FLOPs of the query heads for a pair of a token and an entry it sees. A prompt runs latent
/// attention with keys and values expanded for each head, 2 x heads x (key + value dimensions), not
/// in absorbed form.
[[nodiscard]] double flops_a_pair(const AttentionShape& shape, const Walk& walk);

/// On the chip's curve of this kind, which it must have.
[[nodiscard]] PrefillTime measured_prefill(const AttentionShape& shape, const AttentionCount& count,
                                           const PrefillWork& work, const HardwareSpec& chip);

}  // namespace afford
