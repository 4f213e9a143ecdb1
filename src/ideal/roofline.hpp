#pragma once
// Ideal time of a decoded token on one chip: every part at its roof, batches large enough that
// weights cost nothing, communication hidden (Step-3 report, Section 4).

#include <iterator>
#include <string_view>

#include "count/decode.hpp"
#include "spec/hardware.hpp"

namespace afford {

/// The roofs one model meets on one chip, in the formats it runs in there.
struct Roofs {
  FlopRate attention, linear, ffn;
  ByteRate memory;
  FlopRate of[std::size(compute_dtype_names)] = {};  // each format of products, as the chip runs it

  [[nodiscard]] FlopRate in(Dtype compute) const;
};
[[nodiscard]] Roofs roofs(const HardwareSpec& chip, const Precision& wanted);

enum class Bound { compute, memory };
[[nodiscard]] constexpr std::string_view name_of(Bound bound) {
  return bound == Bound::compute ? "compute" : "memory";
}

/// Time of one chip per generated token.
struct DecodeTime {
  SecondsPerToken core, linear, ffn;
  Bound core_bound = Bound::memory;  // what binds most of the core's time
};

/// Layers run one after another, so each kind of attention takes the longer of its compute and its
/// memory time: core = sum over kinds of max(FLOPs/peak, bytes/bandwidth). Products that run in a
/// format of their own take their FLOPs over its peak.
[[nodiscard]] DecodeTime ideal_time(const DecodeTerms& terms, double context, const Roofs& roofs);

}  // namespace afford
