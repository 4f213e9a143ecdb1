// The busiest group of experts where tokens choose at random.
#include <algorithm>
#include <cmath>

#include "layer/experts.hpp"
#include "units.hpp"

namespace afford {
namespace {

/// Expectation of the largest of `n` independent standard normal variables: Blom's plotting
/// position (1958) under Tukey's lambda distribution, within 0.025 of it up to a thousand.
double expected_largest(double n) {
  const double below = (n - 0.375) / (n + 0.25);
  constexpr double lambda = 0.14, scale = 4.91;
  return scale * (std::pow(below, lambda) - std::pow(1 - below, lambda));
}

/// Variance of how many tokens visit an expert, and of whether any does.
struct ChoiceVariance {
  double pairs = 0, active = 0;
  void add(double probability, double tokens) {
    const double visited = visited_share(probability, tokens);
    pairs += tokens * probability * (1 - probability);
    active += visited * (1 - visited);
  }
};

/// Mean over the groups of the variance of their pairs, the spread of the groups' expectations
/// included; of active experts as if every group were as the mean one.
ChoiceVariance variance_of(const ExpertLayout& layout, double tokens, const Placement& placement) {
  const double active = real(layout.active), groups = real(layout.groups);
  ChoiceVariance sum;
  if (placement.empty()) {
    sum.add(active / real(layout.experts), tokens);
    const double held = std::ceil(real(layout.experts) / groups);
    return {held * sum.pairs, held * sum.active};
  }
  const double mean = tokens * active / groups;
  double spread = 0;
  for (const std::vector<double>& group : placement) {
    double pairs = 0;
    for (const double copy_share : group) {
      const double probability = visit_probability(active, copy_share);
      pairs += tokens * probability;
      sum.add(probability, tokens);
    }
    spread += (pairs - mean) * (pairs - mean);
  }
  return {(sum.pairs + spread) / groups, sum.active / groups};
}

}  // namespace

GroupLoad chosen_groups(const ExpertLayout& layout, double tokens, const Placement& placement) {
  GroupLoad load = placed_groups(layout, tokens, placement);
  if (layout.groups <= 1) return load;
  const ChoiceVariance variance = variance_of(layout, tokens, placement);
  const double largest = expected_largest(real(layout.groups));
  const double held = std::ceil(real(layout.experts + layout.redundant) / real(layout.groups));
  const double pairs = load.mean_group + largest * std::sqrt(variance.pairs);
  load.busiest_group = std::max(load.busiest_group, std::min(pairs, held * tokens));
  load.busiest_group_active =
      std::min(held, load.busiest_group_active + largest * std::sqrt(variance.active));
  return load;
}

}  // namespace afford
