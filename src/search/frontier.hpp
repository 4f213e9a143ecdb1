#pragma once
// The non-dominated set: time per output token against throughput, against money, or against both.

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

namespace afford {

/// What counts besides TPOT. Interactivity: throughput too, against the tokens a second of one user
/// instead of the time between two of them.
enum class Objective { throughput, cost, both, interactivity };
inline constexpr std::pair<std::string_view, Objective> objective_names[] = {
    {"tokens", Objective::throughput},
    {"usd", Objective::cost},
    {"both", Objective::both},
    {"interactivity", Objective::interactivity}};
/// Whether it needs prices.
[[nodiscard]] constexpr bool counts_money(Objective objective) {
  return objective == Objective::cost || objective == Objective::both;
}
[[nodiscard]] constexpr std::string_view name_of(Objective objective) {
  return objective_names[static_cast<int>(objective)].first;
}

/// In the units of the CSV, so that merging files decides as the search did.
struct Goals {
  double tpot_ms = 0, tokens_per_gpu_s = 0, usd_per_mtok = 0;
  double usd_at_other_end = 0;  // of a range of prices; 0: there is none
};

/// What another must undercut to be cheaper at some price of a range. Costs at prices between the
/// ends follow from those at the ends but for rounding, far less than this margin.
[[nodiscard]] inline Goals as_bar(Goals goals) {
  constexpr double margin = 1 + 1e-13;
  if (goals.usd_at_other_end > 0) {
    goals.usd_per_mtok *= margin;
    goals.usd_at_other_end *= margin;
  }
  return goals;
}
/// A range of prices in equal stretches, each a bit.
using Stretches = unsigned;
inline constexpr int price_stretches = 8;
inline constexpr Stretches all_stretches = (1U << price_stretches) - 1;

/// USD where a stretch begins or ends, counted from this end of the range; times the stretches.
[[nodiscard]] inline double usd_at(const Goals& goals, int price) {
  if (price == 0) return price_stretches * goals.usd_per_mtok;
  if (price == price_stretches) return price_stretches * goals.usd_at_other_end;
  return (price_stretches - price) * goals.usd_per_mtok + price * goals.usd_at_other_end;
}

/// Those over which the bar is no dearer, as it then is at both their ends: costs are linear in
/// prices. All or none where prices do not range.
[[nodiscard]] inline Stretches no_dearer(const Goals& bar, const Goals& goals) {
  const bool here = bar.usd_per_mtok <= goals.usd_per_mtok;
  if (!(goals.usd_at_other_end > 0)) return here ? all_stretches : 0;
  const bool there = bar.usd_at_other_end <= goals.usd_at_other_end;
  if (here == there) return here ? all_stretches : 0;
  Stretches cheaper = 0;
  bool before = here;
  for (int price = 1; price <= price_stretches; ++price) {
    const bool now = usd_at(bar, price) <= usd_at(goals, price);
    if (before && now) cheaper |= 1U << (price - 1);
    before = now;
  }
  return cheaper;
}

/// Besides TPOT: cheaper where money counts, else more tokens.
[[nodiscard]] inline bool better(const Goals& a, const Goals& b, Objective objective) {
  return counts_money(objective) ? a.usd_per_mtok < b.usd_per_mtok
                                 : a.tokens_per_gpu_s > b.tokens_per_gpu_s;
}

/// A point of the frontier: its goals and its number in the enumeration, which settles ties.
struct Scored {
  Goals goals;
  std::uint64_t number = 0;
};

/// Between equally good ones the number decides, so that it does not matter in which order they
/// come.
[[nodiscard]] inline bool preferred(const Scored& a, const Scored& b, Objective objective) {
  if (better(a.goals, b.goals, objective)) return true;
  return !better(b.goals, a.goals, objective) && a.number < b.number;
}

/// Whether `a` is at least as good as `b` everywhere and better somewhere (or equal, and numbered
/// before).
[[nodiscard]] bool dominates(const Scored& a, const Scored& b, Objective objective);

/// Grows point by point; which points it holds does not depend on the order of adding. Point
/// derives from Scored.
template <class Point>
class Frontier {
 public:
  explicit Frontier(Objective objective) : objective_(objective) {}

  /// Adds the point unless it is dominated, and drops the points it dominates.
  void add(const Point& point) {
    // Sorted by TPOT, so only earlier points can dominate this one and only later ones be dominated
    // by it.
    const auto after = std::upper_bound(
        points_.begin(), points_.end(), point.goals.tpot_ms,
        [](double tpot, const Point& other) { return tpot < other.goals.tpot_ms; });
    for (auto at = after; at != points_.begin();) {
      --at;
      if (dominates(*at, point, objective_)) return;
      // With one goal besides TPOT the points are a staircase: if the last step is not better, none
      // is.
      if (objective_ != Objective::both && at->goals.tpot_ms < point.goals.tpot_ms) break;
    }
    auto first = after;
    while (first != points_.begin() && std::prev(first)->goals.tpot_ms == point.goals.tpot_ms)
      --first;
    const auto dominated = [&](const Point& other) { return dominates(point, other, objective_); };
    if (objective_ != Objective::both) {
      // Of a staircase it takes the place of the next few steps.
      const auto last = std::find_if_not(first, points_.end(), dominated);
      if (first == last) {
        points_.insert(first, point);
      } else {
        *first = point;
        points_.erase(std::next(first), last);
      }
      return;
    }
    const auto kept = std::remove_if(first, points_.end(), dominated);
    points_.erase(kept, points_.end());
    points_.insert(std::upper_bound(points_.begin(), points_.end(), point, before), point);
  }

  void add(const Frontier& other) {
    if (objective_ == Objective::both) {
      for (const Point& point : other.points_) add(point);
      return;
    }
    // Two staircases become one in a single sweep.
    std::vector<Point> all;
    all.reserve(points_.size() + other.points_.size());
    std::merge(points_.begin(), points_.end(), other.points_.begin(), other.points_.end(),
               std::back_inserter(all), before);
    points_.clear();
    for (const Point& point : all) {
      if (!points_.empty() && dominates(points_.back(), point, objective_)) continue;
      if (!points_.empty() && dominates(point, points_.back(), objective_)) points_.pop_back();
      points_.push_back(point);
    }
  }

  /// By TPOT, then by number.
  [[nodiscard]] const std::vector<Point>& points() const { return points_; }
  [[nodiscard]] Objective objective() const { return objective_; }

 private:
  [[nodiscard]] static bool before(const Point& a, const Point& b) {
    return a.goals.tpot_ms != b.goals.tpot_ms ? a.goals.tpot_ms < b.goals.tpot_ms
                                              : a.number < b.number;
  }

  Objective objective_;
  std::vector<Point> points_;
};

/// The point of a frontier to take: most tokens per GPU or, where money counts, fewest dollars. -1:
/// none.
template <class Point>
[[nodiscard]] std::ptrdiff_t winner(const std::vector<Point>& points, Objective objective) {
  std::ptrdiff_t best = -1;
  for (std::ptrdiff_t i = 0; i < std::ssize(points); ++i) {
    const Goals& goals = points[static_cast<size_t>(i)].goals;
    if (best < 0 || better(goals, points[static_cast<size_t>(best)].goals, objective)) best = i;
  }
  return best;
}

}  // namespace afford
