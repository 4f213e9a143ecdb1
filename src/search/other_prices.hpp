#pragma once
// What a search found, as the same search finds it at other prices.

#include "search/explore.hpp"

namespace afford {

/// To the last bit: steps and verdicts do not depend on prices, and what is kept of many candidates
/// does not either where only tokens count. Where money does, the search was one over a range of
/// prices that has those of `space` in it. Without the best of each shape, prompts and what was
/// watched.
[[nodiscard]] Explored at_prices(const Explored& found, const Space& space, const Setting& setting);

}  // namespace afford
