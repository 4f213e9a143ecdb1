#pragma once
// From time to money: ideal USD per generated token, and the cheapest way to buy it.

#include <vector>

#include "ideal/roofline.hpp"

namespace afford {

/// USD per generated token on one chip, by side of the attention-FFN split.
struct TokenCost {
  UsdPerToken attention;  // core and projections
  UsdPerToken ffn;
  [[nodiscard]] UsdPerToken total() const { return attention + ffn; }
};

/// What the chip costs while it works on a token (Step-3 report, Section 4).
[[nodiscard]] inline TokenCost price(const DecodeTime& time, UsdRate rate) {
  return {.attention = rate * (time.core + time.linear), .ffn = rate * time.ffn};
}

/// The unit costs of the report: price over peak, price over bandwidth.
[[nodiscard]] inline UsdPerFlop usd_per_flop(UsdRate rate, FlopRate peak) { return rate / peak; }
[[nodiscard]] inline UsdPerByte usd_per_byte(UsdRate rate, ByteRate bandwidth) {
  return rate / bandwidth;
}

/// Indices into the costs of several chips: the cheapest for each side (attention-FFN
/// disaggregation) and the cheapest for both together (no disaggregation). The first of those that
/// tie.
struct CheapestChips {
  size_t attention = 0, ffn = 0, single = 0;
};
[[nodiscard]] CheapestChips cheapest(const std::vector<TokenCost>& costs);

}  // namespace afford
