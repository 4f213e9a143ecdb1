#pragma once
// What tells one search from another.

#include <string>
#include <string_view>

#include "search/space.hpp"

namespace afford {

/// Sixteen hexadecimal digits that differ where anything does that decides which candidates there
/// are, what they come to or which are kept: bounds, models, chips, prices, calibrations, TPOT
/// limit, objective. Empty once `stop` is set. Taken from what the search enumerates and from the
/// goals of candidates spread over all of it, so it needs no list of what might matter.
[[nodiscard]] std::string fingerprint(const Space& space, const Setting& setting,
                                      Objective objective, const std::atomic<bool>* stop = nullptr);

/// The same of a text.
[[nodiscard]] std::string fingerprint(std::string_view text);

}  // namespace afford
