#include "layer/mlp_load.hpp"

#include <algorithm>

namespace afford {
namespace {

/// Of the busiest group, at least `balance` times the mean where that is more than one.
double busiest_pairs(const GroupLoad& load, double balance) {
  return balance > 1 ? std::max(load.busiest_group, balance * load.mean_group) : load.busiest_group;
}

}  // namespace

GroupRows MlpLoad::of(double tokens) const {
  GroupRows rows;
  if (routed) {
    const auto groups = routed->noise ? chosen_groups : placed_groups;
    const GroupLoad load = groups(routed->layout, tokens, routed->placement());
    rows[0] = {busiest_pairs(load, routed->balance), load.busiest_group_active};
  }
  if (even) rows[even->group] = {tokens / even->ways * even->active, even->mlps};
  return rows;
}

}  // namespace afford
