#pragma once
// What a search under several bounds found, as the same search finds it under one of them.

#include "search/explore.hpp"
#include "search/numbering.hpp"

namespace afford {

/// To the last bit but for the candidates' numbers, which are those of the largest space: their
/// order is the same. `bound`: which of them; `candidates`: of the space under it.
[[nodiscard]] Explored at_bound(const Explored& found, size_t bound, std::uint64_t candidates);

/// With the numbers of the space, which is that of the bound.
[[nodiscard]] Explored renumbered(const Explored& found, const Numbering& numbering, size_t chips);

}  // namespace afford
