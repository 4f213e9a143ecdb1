#pragma once
// The matrices that the tokens of a prompt go through, on measured curves where the engine runs on
// them as they are.

#include "deploy/prompts.hpp"
#include "kernels/dense.hpp"

namespace afford {

/// Share of the peak that a prompt's products reach on this chip where no curve is at hand, and the
/// peak.
[[nodiscard]] FlopRate reached_by_products(const Setting& setting, const HardwareSpec& chip);

/// Whether an engine's prompts run on a chip's curves of dense and grouped products. One that was
/// fitted to served points has shares of the peak of its own, which hold more than products.
[[nodiscard]] bool products_on_curves(const Setting& setting, const HardwareSpec& chip);

/// Time of products, and what of it stands on curves. Beyond the sizes of the chip's own curve that
/// of a lender counts, and beyond its sizes the last fraction.
struct PromptProducts {
  Seconds time;
  CurveShare measured;

  void add(double times, const PromptProducts& other);
};

/// All layers of a prompt, a server's share of its replicas: projections, router, FFNs.
[[nodiscard]] PromptProducts measured_products(const Setting& setting, const HardwareSpec& chip,
                                               const PromptLoad& load);

/// One product of a layer on one accelerator.
[[nodiscard]] PromptProducts measured_product(const DenseProduct& product, const Setting& setting,
                                              const HardwareSpec& chip);

}  // namespace afford
