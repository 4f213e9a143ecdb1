#include "layer/experts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string_view>

#include "error.hpp"
#include "text/csv.hpp"
#include "text/draws.hpp"
#include "text/file.hpp"
#include "text/number.hpp"
#include "units.hpp"

namespace afford {
namespace {

constexpr double most_routed_tokens = 1e18;

/// What each expert gets under the routing.
std::vector<double> shares_of(const Routing& routing, const ExpertLayout& layout) {
  const auto experts = static_cast<size_t>(layout.experts);
  if (routing.shares.empty())
    return std::vector<double>(experts, 1.0 / static_cast<double>(experts));
  if (routing.shares.size() == experts) return assigned_shares(routing.shares, layout.active);
  for (const std::vector<double>& shares : routing.others) {
    if (shares.size() == experts) return assigned_shares(shares, layout.active);
  }
  throw std::logic_error("a routing of another number of experts than the layer has");
}

/// One copy of an expert: the share of assignments it takes.
struct Copy {
  size_t expert = 0;
  double share = 0;
};

/// Every expert once, then `redundant` further copies, each given to the expert whose copies carry
/// most.
std::vector<Copy> copies_of(const ExpertLayout& layout, const Routing& routing) {
  const std::vector<double> shares = shares_of(routing, layout);
  std::vector<int> count(static_cast<size_t>(layout.experts), 1);
  for (std::int64_t i = 0; i < layout.redundant; ++i) {
    size_t hottest = 0;
    for (size_t e = 1; e < count.size(); ++e) {
      if (shares[e] / count[e] > shares[hottest] / count[hottest]) hottest = e;
    }
    ++count[hottest];
  }
  std::vector<Copy> copies;
  for (size_t e = 0; e < count.size(); ++e) {
    for (int c = 0; c < count[e]; ++c) copies.push_back({e, shares[e] / count[e]});
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

/// Expected copies of a group with at least one token.
double visited(const std::vector<double>& group, double active, double tokens) {
  double sum = 0;
  for (const double copy_share : group)
    sum += visited_share(visit_probability(active, copy_share), tokens);
  return sum;
}

std::vector<double> zipf_shares(std::int64_t experts, double exponent) {
  std::vector<double> shares;
  for (std::int64_t rank = 1; rank <= experts; ++rank)
    shares.push_back(std::pow(static_cast<double>(rank), -exponent));
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& value : shares) value /= sum;
  return shares;
}

}  // namespace

Routing zipf_routing(const std::vector<std::int64_t>& experts, double exponent) {
  Routing routing{.shares = {}, .name = fmt::format("zipf:{}", exponent)};
  for (const std::int64_t each : experts) {
    std::vector<double> shares = zipf_shares(each, exponent);
    if (routing.shares.empty()) {
      routing.shares = std::move(shares);
    } else {
      routing.others.push_back(std::move(shares));
    }
  }
  return routing;
}

namespace {

/// One line of the CSV: an expert and its tokens.
void read_line(const CsvReader& csv, const CsvRow& row, std::vector<double>& tokens) {
  const auto most = static_cast<std::int64_t>(tokens.size()) - 1;
  if (row.fields.size() != 2) {
    throw InputError({csv.file(), row.line, 1},
                     fmt::format("expected 2 fields (expert,tokens), got {}", row.fields.size()));
  }
  const std::string &number = row.fields[0].text, &count = row.fields[1].text;
  const auto expert = parse_integer(number);
  if (!expert || *expert < 0 || *expert > most) {
    throw InputError(csv.place(row, 0),
                     fmt::format("expected an expert from 0 to {}, got '{}'", most, number));
  }
  const double value = parse_real(count).value_or(-1);
  if (!(value >= 0 && value <= most_routed_tokens)) {
    throw InputError(csv.place(row, 1),
                     fmt::format("expected a number of tokens from 0 to {}, got '{}'",
                                 most_routed_tokens, count));
  }
  double& slot = tokens[static_cast<size_t>(*expert)];
  if (slot >= 0)
    throw InputError(csv.place(row, 0), fmt::format("expert {} a second time", *expert));
  slot = value;
}

void require_assignable(const std::vector<double>& shares, std::int64_t active,
                        const std::string& path) {
  constexpr double rounding = 1e-9;
  const auto hottest = std::max_element(shares.begin(), shares.end());
  const double most = 1 / static_cast<double>(active);
  if (*hottest <= most * (1 + rounding)) return;
  throw InputError({path},
                   fmt::format("expert {} has {:.4g} of the tokens' visits; expected at most 1/{}, "
                               "as each token visits {} different experts",
                               hottest - shares.begin(), *hottest, active, active));
}

}  // namespace

Routing read_routing(const std::string& path, std::int64_t experts, std::int64_t active) {
  constexpr size_t most_bytes = size_t{16} << 20;
  constexpr std::string_view header = "expert,tokens";
  CsvReader csv(path, read_whole(path, most_bytes, "an expert load"));
  const auto head = csv.next();
  std::string names;
  for (size_t i = 0; head && i < head->fields.size(); ++i)
    names += (i > 0 ? "," : "") + head->fields[i].text;
  if (names != header)
    throw InputError({path, 1, 1},
                     fmt::format("expected the header '{}', got '{}'", header, names));
  Routing routing{.shares = std::vector<double>(static_cast<size_t>(experts), -1), .name = path};
  while (const auto row = csv.next()) read_line(csv, *row, routing.shares);
  for (size_t e = 0; e < routing.shares.size(); ++e) {
    if (routing.shares[e] < 0)
      throw InputError({path}, fmt::format("no line for expert {} of {}", e, experts));
  }
  const double sum = std::accumulate(routing.shares.begin(), routing.shares.end(), 0.0);
  if (!(sum > 0)) throw InputError({path}, "expected at least one token, got none");
  for (double& value : routing.shares) value /= sum;
  require_assignable(routing.shares, active, path);
  return routing;
}

std::vector<double> assigned_shares(std::vector<double> asked, std::int64_t active) {
  const double most = 1 / static_cast<double>(active);
  if (std::all_of(asked.begin(), asked.end(), [&](double share) { return share <= most; }))
    return asked;
  std::vector<bool> full(asked.size(), false);
  // Filling up others may fill them in turn; each round fills one at least.
  for (size_t filled = 0;;) {
    double left = 1 - static_cast<double>(filled) * most, rest = 0;
    for (size_t e = 0; e < asked.size(); ++e) rest += full[e] ? 0 : asked[e];
    const double scale = rest > 0 ? std::max(0.0, left) / rest : 0;
    bool more = false;
    for (size_t e = 0; e < asked.size(); ++e) {
      if (full[e] || asked[e] * scale <= most) continue;
      full[e] = more = true;
      ++filled;
    }
    if (more) continue;
    for (size_t e = 0; e < asked.size(); ++e) asked[e] = full[e] ? most : asked[e] * scale;
    return asked;
  }
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

GroupLoad placed_groups(const ExpertLayout& layout, double tokens, const Placement& placement) {
  const double active = real(layout.active), groups = real(layout.groups);
  GroupLoad load{.mean_group = tokens * active / groups};
  if (placement.empty()) {
    const double held = std::ceil(real(layout.experts) / groups);
    load.busiest_group = held * tokens * active / real(layout.experts);
    load.busiest_group_active = held * visited_share(active / real(layout.experts), tokens);
    return load;
  }
  const std::vector<double>* busiest = nullptr;
  for (const std::vector<double>& group : placement) {
    double pairs = 0;
    for (const double copy_share : group) pairs += tokens * visit_probability(active, copy_share);
    if (pairs <= load.busiest_group) continue;
    load.busiest_group = pairs;
    busiest = &group;
  }
  if (busiest != nullptr) load.busiest_group_active = visited(*busiest, active, tokens);
  return load;
}

ExpertLoad placed_load(const ExpertLayout& layout, double tokens, const Placement& placement) {
  const double active = real(layout.active), experts = real(layout.experts);
  ExpertLoad load{placed_groups(layout, tokens, placement)};
  if (placement.empty()) {
    load.active_experts = experts * visited_share(active / experts, tokens);
    load.busiest_expert = tokens * active / experts;
    return load;
  }
  for (const std::vector<double>& group : placement) {
    load.active_experts += visited(group, active, tokens);
    for (const double copy_share : group) {
      load.busiest_expert =
          std::max(load.busiest_expert, tokens * visit_probability(active, copy_share));
    }
  }
  return load;
}

double sampled_busiest_group(const ExpertLayout& layout, std::int64_t tokens,
                             const Routing& routing, std::uint64_t seed, int samples) {
  RandomBits bits(seed);
  const auto placed = place(layout, routing);
  double sum = 0;
  for (int i = 0; i < samples; ++i) {
    double busiest = 0;
    for (const auto& group : placed) {
      double pairs = 0;
      for (const Copy& copy : group) {
        const double p = visit_probability(real(layout.active), copy.share);
        pairs += static_cast<double>(draw_successes(bits, tokens, p));
      }
      busiest = std::max(busiest, pairs);
    }
    sum += busiest;
  }
  return sum / samples;
}

}  // namespace afford
