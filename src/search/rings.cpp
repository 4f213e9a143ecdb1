#include "search/rings.hpp"

#include <algorithm>

namespace afford {

Ring Bounds::ring(std::size_t number) const {
  if (!several()) return {};
  return {.chip = chip, .above = number == 0 ? -1 : most[number - 1], .most = most[number]};
}

std::size_t Bounds::ring_of(std::int64_t taken) const {
  if (!several()) return 0;
  return static_cast<std::size_t>(std::lower_bound(most.begin(), most.end(), taken) - most.begin());
}

}  // namespace afford
