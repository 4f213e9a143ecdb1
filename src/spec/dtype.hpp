#pragma once
// Number formats: what they are called and how many bits an element takes. The plain formats leave
// block scales out; mxfp4, nvfp4 and the grouped int4 and int8 count theirs.

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "units.hpp"

namespace afford {

/// The named formats, and from `first_stored` on "so many thousandths of a bit an element", for
/// weights that only have to be read: see stored_bits.
enum class Dtype {
  fp32,
  bf16,
  fp8,
  int8,
  fp4,
  int4,
  mxfp4,
  nvfp4,
  int4g32,
  int4g64,
  int4g128,
  int8g128,
  first_stored = 1000
};

/// Every named format by the name the YAML files and the command line use.
inline constexpr std::pair<std::string_view, Dtype> dtype_names[] = {
    {"fp32", Dtype::fp32},       {"bf16", Dtype::bf16},         {"fp8", Dtype::fp8},
    {"int8", Dtype::int8},       {"fp4", Dtype::fp4},           {"int4", Dtype::int4},
    {"mxfp4", Dtype::mxfp4},     {"nvfp4", Dtype::nvfp4},       {"int4g32", Dtype::int4g32},
    {"int4g64", Dtype::int4g64}, {"int4g128", Dtype::int4g128}, {"int8g128", Dtype::int8g128},
};

/// The formats products can run in. The others only store.
inline constexpr std::pair<std::string_view, Dtype> compute_dtype_names[] = {
    {"bf16", Dtype::bf16}, {"fp8", Dtype::fp8}, {"int8", Dtype::int8}, {"fp4", Dtype::fp4}};

inline constexpr double least_stored_bits = 1, most_stored_bits = 32;
inline constexpr std::string_view stored_bits_unit = "bit";

/// Weights stored at `bits` (1 to 32) an element with the scales of their blocks, as files mix
/// them: "4.5bit".
[[nodiscard]] constexpr Dtype stored_bits(double bits) {
  constexpr double steps = 1000, half = 0.5;
  return static_cast<Dtype>(static_cast<int>(Dtype::first_stored) +
                            static_cast<int>(bits * steps + half));
}

[[nodiscard]] constexpr bool is_stored_bits(Dtype dtype) { return dtype >= Dtype::first_stored; }

/// Bits of an element, with its share of the scale of its block: MXFP4 has an 8-bit scale for 32
/// elements (OCP Microscaling Formats 1.0, Section 5), NVFP4 an 8-bit one for 16, grouped
/// whole numbers a 16-bit one for 32, 64 or 128.
[[nodiscard]] constexpr double bits_of(Dtype dtype) {
  constexpr double steps = 1000;
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
    case Dtype::int4g64:
      return 4 + 16.0 / 64;
    case Dtype::int4g128:
      return 4 + 16.0 / 128;
    case Dtype::int8g128:
      return 8 + 16.0 / 128;
    case Dtype::first_stored:
      break;
  }
  return (static_cast<int>(dtype) - static_cast<int>(Dtype::first_stored)) / steps;
}

/// "fp8", "4.5bit".
[[nodiscard]] inline std::string name_of(Dtype dtype) {
  if (is_stored_bits(dtype)) return fmt::format("{:.6g}{}", bits_of(dtype), stored_bits_unit);
  return std::string(dtype_names[static_cast<int>(dtype)].first);
}

/// The size of `elements` numbers of this format.
[[nodiscard]] constexpr Bytes size_of(Dtype dtype, double elements) {
  return Bytes(elements * bits_of(dtype) / 8.0);
}

}  // namespace afford
