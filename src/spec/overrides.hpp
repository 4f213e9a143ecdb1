#pragma once
// What-if changes to a loaded model or chip: values in, values out.

#include <optional>

#include "spec/hardware.hpp"
#include "spec/model.hpp"

namespace afford {

/// Formats to assume instead of the model's own.
struct FormatOverrides {
  std::optional<Dtype> attention;  // core attention compute and its KV cache
  std::optional<Dtype> kv;         // KV cache alone
  std::optional<Dtype> weights;    // attention and FFN weights
};

/// A recurrent state keeps its format: it is no KV cache. Weights of 8 bits or more also set the
/// format their products are computed in; 4-bit weights are widened to the format the model
/// computes in.
[[nodiscard]] ModelSpec with_formats(ModelSpec model, const FormatOverrides& formats);

}  // namespace afford
