#pragma once
// The ideal evaluator: counts -> time -> money for one model, chip and context.

#include "count/decode.hpp"
#include "ideal/cost.hpp"
#include "ideal/roofline.hpp"

namespace afford {

struct IdealCost {
  DecodeTime time;
  TokenCost cost;
};

/// A few dozen FLOPs: terms and roofs are compiled once per model and per model and chip.
[[nodiscard]] inline IdealCost ideal_cost(const DecodeTerms& terms, double context,
                                          const Roofs& roofs, UsdRate rate) {
  const DecodeTime time = ideal_time(terms, context, roofs);
  return {.time = time, .cost = price(time, rate)};
}

}  // namespace afford
