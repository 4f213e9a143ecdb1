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

/// Where `a` is cheaper.
Stretches undercuts(const Candidate& a, const Candidate& b) {
  return no_dearer(as_bar(a.goals), b.goals);
}

/// Where `a` is at least as good everywhere and cheaper.
Stretches outdoes(const Candidate& a, const Candidate& b, Objective objective) {
  const bool tokens = objective == Objective::both;
  const bool as_good = a.goals.tpot_ms <= b.goals.tpot_ms &&
                       (!tokens || a.goals.tokens_per_gpu_s >= b.goals.tokens_per_gpu_s);
  return as_good ? undercuts(a, b) : 0;
}

/// Whether at every price some candidate does better, as `better` says of each.
template <class Iterator, class Better>
bool outdone(Iterator first, Iterator last, const Better& better) {
  Stretches where = 0;
  for (; first != last && where != all_stretches; ++first) where |= better(*first);
  return where == all_stretches;
}

}  // namespace

double price_ratio(const Candidate& c, const Space& space, const std::vector<HardwareSpec>* other) {
  return other == nullptr ? 0 : price_at(c, *other) / price_at(c, *space.chips);
}

void Rivals::add(const Candidate& c) {
  const auto after = std::upper_bound(
      frontier_.begin(), frontier_.end(), c.goals.tpot_ms,
      [](double tpot, const Candidate& other) { return tpot < other.goals.tpot_ms; });
  // The nearest first: they are the likeliest to be better.
  if (!outdone(std::make_reverse_iterator(after), frontier_.rend(),
               [&](const Candidate& known) { return outdoes(known, c, objective_); })) {
    const auto place = frontier_.insert(after, c);
    const auto behind = std::remove_if(place + 1, frontier_.end(), [&](const Candidate& known) {
      return outdoes(c, known, objective_) == all_stretches;
    });
    frontier_.erase(behind, frontier_.end());
  }
  std::vector<Candidate>& cheapest = cheapest_[chips_of(c)];
  if (outdone(cheapest.rbegin(), cheapest.rend(),
              [&](const Candidate& known) { return undercuts(known, c); }))
    return;
  cheapest.erase(
      std::remove_if(cheapest.begin(), cheapest.end(),
                     [&](const Candidate& known) { return undercuts(c, known) == all_stretches; }),
      cheapest.end());
  cheapest.push_back(c);
}

void Rivals::add(const Rivals& other) {
  for (const Candidate& candidate : other.all()) add(candidate);
}

std::vector<Candidate> Rivals::all() const {
  std::vector<Candidate> list = frontier_;
  for (const auto& [chips, cheapest] : cheapest_)
    list.insert(list.end(), cheapest.begin(), cheapest.end());
  return each_once(std::move(list));
}

}  // namespace afford
