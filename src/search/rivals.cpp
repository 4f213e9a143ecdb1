#include "search/rivals.hpp"

#include <algorithm>
#include <utility>

namespace afford {
namespace {

UsdRate price_at(const Candidate::Side& side, const std::vector<HardwareSpec>& chips) {
  return real(side.size()) * chips[side.chip].price.value;
}

UsdRate price_at(const Candidate& c, const std::vector<HardwareSpec>& chips) {
  const UsdRate attention = price_at(c.attention, chips);
  return c.way == Way::disaggregated ? attention + price_at(c.ffn, chips) : attention;
}

/// Where `a` is at least as good everywhere and cheaper.
Stretches outdoes(const Candidate& a, const Candidate& b) {
  const bool as_good =
      a.goals.tpot_ms <= b.goals.tpot_ms && a.goals.tokens_per_gpu_s >= b.goals.tokens_per_gpu_s;
  return as_good ? no_dearer(as_bar(a.goals), b.goals) : 0;
}

double tpot_of(const Candidate& c, bool by_tpot) { return by_tpot ? c.goals.tpot_ms : 0; }

}  // namespace

double price_ratio(const Candidate& c, const Space& space, const std::vector<HardwareSpec>* other) {
  return other == nullptr ? 0 : price_at(c, *other) / price_at(c, *space.chips);
}

bool CheapestByPrice::undercut(double tpot_ms, const Goals& goals) const {
  Stretches where = 0;
  for (int price = 0; price <= price_stretches; price += apart) {
    const std::vector<Step>& stairs = stairs_[static_cast<size_t>(price / apart)];
    const auto after =
        std::upper_bound(stairs.begin(), stairs.end(), tpot_ms,
                         [](double tpot, const Step& step) { return tpot < step.tpot_ms; });
    // Where none is cheaper at a price, none is over the stretches beside it.
    if (after == stairs.begin()) return false;
    const Goals cheapest = std::prev(after)->bar();
    if (usd_at(goals, price) < usd_at(cheapest, price)) return false;
    where |= no_dearer(cheapest, goals);
    if (where == all_stretches) return true;
  }
  return false;
}

void CheapestByPrice::add(double tpot_ms, const Goals& goals) {
  const Goals bar = as_bar(goals);
  const Step step{tpot_ms, bar.usd_per_mtok, bar.usd_at_other_end};
  for (int price = 0; price <= price_stretches; price += apart) {
    std::vector<Step>& stairs = stairs_[static_cast<size_t>(price / apart)];
    const auto dearer = [&](const Step& known) {
      return usd_at(known.bar(), price) > usd_at(bar, price);
    };
    const auto at =
        std::lower_bound(stairs.begin(), stairs.end(), tpot_ms,
                         [](const Step& known, double tpot) { return known.tpot_ms < tpot; });
    if (at != stairs.begin() && !dearer(*std::prev(at))) continue;
    if (at != stairs.end() && at->tpot_ms == tpot_ms && !dearer(*at)) continue;
    const auto last = std::find_if_not(at, stairs.end(), [&](const Step& known) {
      return usd_at(known.bar(), price) >= usd_at(bar, price);
    });
    if (at == last) {
      stairs.insert(at, step);
    } else {
      *at = step;
      stairs.erase(std::next(at), last);
    }
  }
}

void Rivals::add(const Candidate& c, bool by_tpot, Kept& to) {
  const double tpot_ms = tpot_of(c, by_tpot);
  if (to.cheapest.undercut(tpot_ms, c.goals)) return;
  to.cheapest.add(tpot_ms, c.goals);
  to.list.push_back(c);
  if (to.list.size() < to.tidy_at) return;
  tidy(to, by_tpot);
  to.tidy_at = std::max(to.tidy_at, 2 * to.list.size());
}

void Rivals::tidy(Kept& kept, bool by_tpot) {
  std::erase_if(kept.list, [&](const Candidate& c) {
    return kept.cheapest.undercut(tpot_of(c, by_tpot), c.goals);
  });
}

void Rivals::tidy() {
  if (objective_ != Objective::both) {
    tidy(frontier_, true);
    std::sort(
        frontier_.list.begin(), frontier_.list.end(),
        [](const Candidate& a, const Candidate& b) { return a.goals.tpot_ms < b.goals.tpot_ms; });
  }
  for (auto& [chips, kept] : cheapest_) tidy(kept, false);
}

void Rivals::add_by_tokens(const Candidate& c) {
  std::vector<Candidate>& list = frontier_.list;
  const auto after = std::upper_bound(
      list.begin(), list.end(), c.goals.tpot_ms,
      [](double tpot, const Candidate& other) { return tpot < other.goals.tpot_ms; });
  // The nearest first: they are the likeliest to be better.
  Stretches outdone = 0;
  for (auto at = after; at != list.begin() && outdone != all_stretches;)
    outdone |= outdoes(*--at, c);
  if (outdone == all_stretches) return;
  const auto place = list.insert(after, c);
  const auto behind = std::remove_if(place + 1, list.end(), [&](const Candidate& known) {
    return outdoes(c, known) == all_stretches;
  });
  list.erase(behind, list.end());
}

void Rivals::add_to_frontier(const Candidate& c) {
  if (objective_ == Objective::both) {
    add_by_tokens(c);
  } else {
    add(c, true, frontier_);
  }
}

void Rivals::add(const Candidate& c) {
  add_to_frontier(c);
  add(c, false, cheapest_[chips_of(c)]);
}

void Rivals::add(const Rivals& other) {
  for (const Candidate& c : other.frontier_.list) add_to_frontier(c);
  for (const auto& [chips, kept] : other.cheapest_) {
    for (const Candidate& c : kept.list) add(c, false, cheapest_[chips]);
  }
}

}  // namespace afford
