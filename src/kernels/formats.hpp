#pragma once
// Which formats a model really runs in on a chip.

#include "spec/hardware.hpp"
#include "spec/model.hpp"

namespace afford {

/// The format a product runs in on `chip`: the wanted one where the chip has a peak for it, else
/// the next wider one it has (FP4 -> FP8 -> BF16, INT8 -> BF16). FP8 falls back on BF16, as in the
/// Step-3 report, never on INT8.
[[nodiscard]] Dtype compute_format(const HardwareSpec& chip, Dtype wanted);

/// The format numbers are held in: FP8 becomes INT8 on a chip without FP8, so the bytes stay.
[[nodiscard]] Dtype storage_format(const HardwareSpec& chip, Dtype wanted);

/// The model's precision as `chip` runs it.
[[nodiscard]] Precision precision_on(const HardwareSpec& chip, const Precision& wanted);

/// Whether precision_on() changes anything.
[[nodiscard]] bool falls_back(const HardwareSpec& chip, const Precision& wanted);

/// Whether weights of fewer than 8 bits are widened on their way to a product in BF16. Blackwell's
/// tensor cores take block-scaled FP4 as it is.
[[nodiscard]] bool widened(const HardwareSpec& chip, Dtype weights, Dtype compute);

/// The ridge: FLOPs per byte at which compute and memory take equally long.
[[nodiscard]] FlopsPerByte ridge(const HardwareSpec& chip, Dtype compute);

}  // namespace afford
