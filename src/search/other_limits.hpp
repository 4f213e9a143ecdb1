#pragma once
// What a search under several TPOT limits found, as the same search finds it under one of them.

#include "search/explore.hpp"

namespace afford {

/// To the last bit: a looser limit takes nothing from the frontier, and the fastest candidate does
/// not depend on it. `setting`: with one of the limits of the search. Without the best of each
/// shape, prompts and what was watched.
[[nodiscard]] Explored at_limit(const Explored& found, const Space& space, const Setting& setting);

}  // namespace afford
