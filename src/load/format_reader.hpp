#pragma once
// The number formats a model file may name for its weights.

#include "spec/dtype.hpp"
#include "yaml/section.hpp"

namespace afford {

/// A named format, or a mixture by its bits an element ("4.85bit", from 1 to 32, scales included).
/// Throws InputError.
[[nodiscard]] Dtype read_weight_format(const yaml::Section& in, std::string_view key);

}  // namespace afford
