#pragma once
// Number formats: what they are called and how many bits an element takes. Block scales are not
// counted here; a format that has them says so in its name once it is added.

#include <string_view>
#include <utility>

#include "units.hpp"

namespace afford {

enum class Dtype { fp32, bf16, fp8, int8, fp4, int4 };

/// Every format by the name the YAML files and the command line use.
inline constexpr std::pair<std::string_view, Dtype> dtype_names[] = {
    {"fp32", Dtype::fp32}, {"bf16", Dtype::bf16}, {"fp8", Dtype::fp8},
    {"int8", Dtype::int8}, {"fp4", Dtype::fp4},   {"int4", Dtype::int4},
};

/// The formats products can run in. The others only store.
inline constexpr std::pair<std::string_view, Dtype> compute_dtype_names[] = {
    {"bf16", Dtype::bf16}, {"fp8", Dtype::fp8}, {"int8", Dtype::int8}, {"fp4", Dtype::fp4}};

[[nodiscard]] constexpr std::string_view name_of(Dtype dtype) {
  return dtype_names[static_cast<int>(dtype)].first;
}

[[nodiscard]] constexpr int bits_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::fp32:
      return 32;
    case Dtype::bf16:
      return 16;
    case Dtype::fp8:
    case Dtype::int8:
      return 8;
    case Dtype::fp4:
    case Dtype::int4:
      return 4;
  }
  return 0;
}

/// The size of `elements` numbers of this format.
[[nodiscard]] constexpr Bytes size_of(Dtype dtype, double elements) {
  return Bytes(elements * bits_of(dtype) / 8.0);
}

}  // namespace afford
