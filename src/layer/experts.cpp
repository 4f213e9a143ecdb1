#include "layer/experts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>
#include <random>

#include "error.hpp"
#include "text/number.hpp"

namespace afford {
namespace {

double share(const Routing& routing, const ExpertLayout& layout, size_t expert) {
  return routing.shares.empty() ? 1.0 / static_cast<double>(layout.experts)
                                : routing.shares[expert];
}

/// One copy of an expert: the share of assignments it takes.
struct Copy {
  size_t expert = 0;
  double share = 0;
};

/// Every expert once, then `redundant` further copies, each given to the expert whose copies carry
/// most.
std::vector<Copy> copies_of(const ExpertLayout& layout, const Routing& routing) {
  std::vector<int> count(static_cast<size_t>(layout.experts), 1);
  for (std::int64_t i = 0; i < layout.redundant; ++i) {
    size_t hottest = 0;
    for (size_t e = 1; e < count.size(); ++e) {
      if (share(routing, layout, e) / count[e] > share(routing, layout, hottest) / count[hottest])
        hottest = e;
    }
    ++count[hottest];
  }
  std::vector<Copy> copies;
  for (size_t e = 0; e < count.size(); ++e) {
    for (int c = 0; c < count[e]; ++c) copies.push_back({e, share(routing, layout, e) / count[e]});
  }
  std::stable_sort(copies.begin(), copies.end(),
                   [](const Copy& a, const Copy& b) { return a.share > b.share; });
  return copies;
}

/// Greedy placement, heaviest first onto the lightest group that still has a slot.
std::vector<std::vector<Copy>> place(const ExpertLayout& layout, const Routing& routing) {
  const std::vector<Copy> copies = copies_of(layout, routing);
  const auto groups = static_cast<size_t>(layout.groups);
  const size_t slots = (copies.size() + groups - 1) / groups;
  std::vector<std::vector<Copy>> placed(groups);
  std::vector<double> load(groups, 0);
  for (const Copy& copy : copies) {
    size_t best = groups;
    for (size_t g = 0; g < groups; ++g) {
      if (placed[g].size() < slots && (best == groups || load[g] < load[best])) best = g;
    }
    placed[best].push_back(copy);
    load[best] += copy.share;
  }
  return placed;
}

double visit_probability(double active, double copy_share) {
  return std::min(1.0, active * copy_share);
}

}  // namespace

Routing zipf_routing(std::int64_t experts, double exponent) {
  Routing routing{.shares = {}, .name = fmt::format("zipf:{}", exponent)};
  for (std::int64_t rank = 1; rank <= experts; ++rank)
    routing.shares.push_back(std::pow(static_cast<double>(rank), -exponent));
  const double sum = std::accumulate(routing.shares.begin(), routing.shares.end(), 0.0);
  for (double& value : routing.shares) value /= sum;
  return routing;
}

Routing read_routing(const std::string& path, std::int64_t experts) {
  std::ifstream stream(path);
  if (!stream) throw InputError({path}, "cannot be read");
  Routing routing{.shares = std::vector<double>(static_cast<size_t>(experts), -1), .name = path};
  int number = 1;
  std::string line;
  if (!std::getline(stream, line) || line != "expert,tokens") {
    throw InputError({path, 1, 1},
                     fmt::format("expected the header 'expert,tokens', got '{}'", line));
  }
  double sum = 0;
  while (std::getline(stream, line)) {
    ++number;
    const size_t comma = line.find(',');
    const auto expert = parse_integer(line.substr(0, comma));
    const std::string count = comma == std::string::npos ? "" : line.substr(comma + 1);
    const double tokens = parse_real(count).value_or(-1);
    if (!expert || *expert < 0 || *expert >= experts) {
      throw InputError({path, number, 1},
                       fmt::format("expected an expert from 0 to {}, got '{}'", experts - 1, line));
    }
    if (tokens < 0) {
      const int column = comma == std::string::npos ? 1 : static_cast<int>(comma) + 2;
      throw InputError({path, number, column},
                       fmt::format("expected a number of tokens, got '{}'", line));
    }
    double& slot = routing.shares[static_cast<size_t>(*expert)];
    if (slot >= 0)
      throw InputError({path, number, 1}, fmt::format("expert {} a second time", *expert));
    slot = tokens;
    sum += tokens;
  }
  for (size_t e = 0; e < routing.shares.size(); ++e) {
    if (routing.shares[e] < 0) throw InputError({path}, fmt::format("no line for expert {}", e));
  }
  if (!(sum > 0) || !std::isfinite(sum)) throw InputError({path}, "expected at least one token");
  for (double& value : routing.shares) value /= sum;
  return routing;
}

Placement place_experts(const ExpertLayout& layout, const Routing& routing) {
  if (routing.shares.empty() && layout.redundant == 0) return {};
  Placement placement;
  for (const auto& group : place(layout, routing)) {
    std::vector<double>& shares = placement.emplace_back();
    for (const Copy& copy : group) shares.push_back(copy.share);
  }
  return placement;
}

ExpertLoad placed_load(const ExpertLayout& layout, double tokens, const Placement& placement) {
  const double active = static_cast<double>(layout.active),
               experts = static_cast<double>(layout.experts);
  const double groups = static_cast<double>(layout.groups);
  if (placement.empty()) {
    const double held = std::ceil(experts / groups);
    const double visited = 1 - std::pow(1 - active / experts, tokens);
    return {.active_experts = experts * visited,
            .busiest_expert = tokens * active / experts,
            .busiest_group = held * tokens * active / experts,
            .busiest_group_active = held * visited,
            .mean_group = tokens * active / groups};
  }
  ExpertLoad load{.mean_group = tokens * active / groups};
  for (const std::vector<double>& group : placement) {
    double pairs = 0, visited = 0;
    for (const double copy_share : group) {
      const double p = visit_probability(active, copy_share);
      pairs += tokens * p;
      visited += 1 - std::pow(1 - p, tokens);
      load.busiest_expert = std::max(load.busiest_expert, tokens * p);
    }
    load.active_experts += visited;
    if (pairs > load.busiest_group) load.busiest_group = pairs, load.busiest_group_active = visited;
  }
  return load;
}

double sampled_busiest_group(const ExpertLayout& layout, std::int64_t tokens,
                             const Routing& routing, std::uint64_t seed, int samples) {
  std::mt19937_64 bits(seed);
  const auto placed = place(layout, routing);
  double sum = 0;
  for (int i = 0; i < samples; ++i) {
    double busiest = 0;
    for (const auto& group : placed) {
      double pairs = 0;
      for (const Copy& copy : group) {
        const double p = visit_probability(static_cast<double>(layout.active), copy.share);
        pairs += static_cast<double>(std::binomial_distribution<std::int64_t>(tokens, p)(bits));
      }
      busiest = std::max(busiest, pairs);
    }
    sum += busiest;
  }
  return sum / samples;
}

}  // namespace afford
