#include "ideal/cost.hpp"

namespace afford {

CheapestChips cheapest(const std::vector<TokenCost>& costs) {
  CheapestChips best;
  for (size_t i = 1; i < costs.size(); ++i) {
    if (costs[i].attention < costs[best.attention].attention) best.attention = i;
    if (costs[i].ffn < costs[best.ffn].ffn) best.ffn = i;
    if (costs[i].total() < costs[best.single].total()) best.single = i;
  }
  return best;
}

}  // namespace afford
