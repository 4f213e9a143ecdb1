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

/// `a` as a bar is the cheaper one at both ends.
bool undercuts(const Candidate& a, const Candidate& b) {
  return no_dearer(as_bar(a.goals), b.goals);
}

/// At every price `a` is at least as good everywhere and cheaper.
bool outdoes(const Candidate& a, const Candidate& b, Objective objective) {
  const bool tokens = objective == Objective::both;
  return a.goals.tpot_ms <= b.goals.tpot_ms &&
         (!tokens || a.goals.tokens_per_gpu_s >= b.goals.tokens_per_gpu_s) && undercuts(a, b);
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
  const bool outdone =
      std::any_of(std::make_reverse_iterator(after), frontier_.rend(),
                  [&](const Candidate& known) { return outdoes(known, c, objective_); });
  if (!outdone) {
    const auto place = frontier_.insert(after, c);
    const auto behind = std::remove_if(place + 1, frontier_.end(), [&](const Candidate& known) {
      return outdoes(c, known, objective_);
    });
    frontier_.erase(behind, frontier_.end());
  }
  std::vector<Candidate>& cheapest = cheapest_[chips_of(c)];
  if (std::any_of(cheapest.rbegin(), cheapest.rend(),
                  [&](const Candidate& known) { return undercuts(known, c); }))
    return;
  cheapest.erase(std::remove_if(cheapest.begin(), cheapest.end(),
                                [&](const Candidate& known) { return undercuts(c, known); }),
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
