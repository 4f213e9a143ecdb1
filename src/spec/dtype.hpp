#pragma once
// Number formats: what they are called and how many bits an element takes. The plain formats leave
// block scales out; mxfp4, nvfp4 and the grouped int4 count theirs.

#include <string_view>
#include <utility>

#include "units.hpp"

namespace afford {

enum class Dtype { fp32, bf16, fp8, int8, fp4, int4, mxfp4, nvfp4, int4g32, int4g128 };

/// Every format by the name the YAML files and the command line use.
inline constexpr std::pair<std::string_view, Dtype> dtype_names[] = {
    {"fp32", Dtype::fp32},         {"bf16", Dtype::bf16},   {"fp8", Dtype::fp8},
    {"int8", Dtype::int8},         {"fp4", Dtype::fp4},     {"int4", Dtype::int4},
    {"mxfp4", Dtype::mxfp4},       {"nvfp4", Dtype::nvfp4}, {"int4g32", Dtype::int4g32},
    {"int4g128", Dtype::int4g128},
};

/// The formats products can run in. The others only store.
inline constexpr std::pair<std::string_view, Dtype> compute_dtype_names[] = {
    {"bf16", Dtype::bf16}, {"fp8", Dtype::fp8}, {"int8", Dtype::int8}, {"fp4", Dtype::fp4}};

[[nodiscard]] constexpr std::string_view name_of(Dtype dtype) {
  return dtype_names[static_cast<int>(dtype)].first;
}

/// Bits of an element, with its share of the scale of its block: MXFP4 has an 8-bit scale for 32
/// elements (OCP Microscaling Formats 1.0, Section 5), NVFP4 an 8-bit one for 16, grouped INT4 a
/// 16-bit one for 32 or 128.
[[nodiscard]] constexpr double bits_of(Dtype dtype) {
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
    case Dtype::mxfp4:
      return 4 + 8.0 / 32;
    case Dtype::nvfp4:
      return 4 + 8.0 / 16;
    case Dtype::int4g32:
      return 4 + 16.0 / 32;
    case Dtype::int4g128:
      return 4 + 16.0 / 128;
  }
  return 0;
}

/// The size of `elements` numbers of this format.
[[nodiscard]] constexpr Bytes size_of(Dtype dtype, double elements) {
  return Bytes(elements * bits_of(dtype) / 8.0);
}

}  // namespace afford
