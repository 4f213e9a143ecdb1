#pragma once
// How evenly routing loads the experts: expected active experts, the busiest expert and the busiest
// group.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace afford {

/// The share of token-expert assignments each routed expert asks for; sums to one. Empty: uniform.
struct Routing {
  std::vector<double> shares;
  std::string name = "uniform";
  std::vector<std::vector<double>> others{};  // in layers of other numbers of experts
};

/// Shares 1/rank^exponent, for layers of each of these numbers of experts. exponent 0 is uniform.
[[nodiscard]] Routing zipf_routing(const std::vector<std::int64_t>& experts, double exponent);
[[nodiscard]] inline Routing zipf_routing(std::int64_t experts, double exponent) {
  return zipf_routing(std::vector<std::int64_t>{experts}, exponent);
}

/// Shares from a CSV with the header `expert,tokens`: measured, so none may be above 1/active, as a
/// token visits an expert once. Throws InputError with the place.
[[nodiscard]] Routing read_routing(const std::string& path, std::int64_t experts,
                                   std::int64_t active);

/// The shares experts get of what they ask for where none may take more than 1/active: what is too
/// much for some goes to the others in proportion, so that every token still visits `active`.
[[nodiscard]] std::vector<double> assigned_shares(std::vector<double> asked, std::int64_t active);

/// Load of one MoE layer with `tokens` tokens, each visiting `active` of `experts`, the experts
/// spread over `groups` devices or device groups.
struct GroupLoad {
  double busiest_group = 0;         // expected token-expert pairs
  double busiest_group_active = 0;  // expected active experts there
  double mean_group = 0;
};
struct ExpertLoad : GroupLoad {
  double active_experts = 0;  // expected number with at least one token, all groups together
  double busiest_expert = 0;  // expected tokens
};

struct ExpertLayout {
  std::int64_t experts = 1, active = 1, groups = 1;
  std::int64_t redundant =
      0;  // extra copies of the hottest experts, which halve, third ... their load
};

/// The shares of the expert copies each group holds. Experts (and copies) go to the least loaded
/// group, heaviest first. Empty where nothing tells the groups apart: uniform routing without
/// copies.
using Placement = std::vector<std::vector<double>>;
[[nodiscard]] Placement place_experts(const ExpertLayout& layout, const Routing& routing);

/// How likely a token that visits `active` experts visits one with this share of the assignments.
[[nodiscard]] inline double visit_probability(double active, double copy_share) {
  return std::min(1.0, active * copy_share);
}
/// Of an expert that each token visits with that probability: how likely any of them does.
[[nodiscard]] inline double visited_share(double probability, double tokens) {
  return 1 - std::pow(1 - probability, tokens);
}

/// Expectations, exact for independent tokens: an expert with share p is visited by a token with
/// probability active*p. placed_groups() is what the time of a layer needs of it.
[[nodiscard]] GroupLoad placed_groups(const ExpertLayout& layout, double tokens,
                                      const Placement& placement);
/// The same in the mean over what tokens choose, where the busiest of several groups has more than
/// any has in expectation: pairs and active experts of the groups as independent normal variables,
/// the groups' expected loads as part of their spread.
[[nodiscard]] GroupLoad chosen_groups(const ExpertLayout& layout, double tokens,
                                      const Placement& placement);
[[nodiscard]] ExpertLoad placed_load(const ExpertLayout& layout, double tokens,
                                     const Placement& placement);
[[nodiscard]] inline ExpertLoad expected_load(const ExpertLayout& layout, double tokens,
                                              const Routing& routing) {
  return placed_load(layout, tokens, place_experts(layout, routing));
}

/// The mean over `samples` draws of the busiest group's pairs: what chosen_groups() approximates.
[[nodiscard]] double sampled_busiest_group(const ExpertLayout& layout, std::int64_t tokens,
                                           const Routing& routing, std::uint64_t seed, int samples);

}  // namespace afford
