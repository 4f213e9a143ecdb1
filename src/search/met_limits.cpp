#include "search/met_limits.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace afford {

MetLimits::MetLimits(std::vector<Seconds> limits, Objective objective, double tokens_per_step)
    : limits_(std::move(limits)), objective_(objective), tokens_per_step_(tokens_per_step) {
  std::sort(limits_.begin(), limits_.end());
  limits_.erase(std::unique(limits_.begin(), limits_.end()), limits_.end());
  for (const Seconds limit : limits_) limits_ms_.push_back(limit / millisecond);
  met_.resize(limits_.size());
}

size_t MetLimits::tightest(Seconds tpot) const {
  return static_cast<size_t>(std::lower_bound(limits_.begin(), limits_.end(), tpot) -
                             limits_.begin());
}

void MetLimits::add(const Candidate& c) {
  const size_t limit = tightest(c.step / tokens_per_step_);
  count(limit, 1);
  keep({limit, c});
  if (std::binary_search(limits_ms_.begin(), limits_ms_.end(), c.goals.tpot_ms))
    at_limits_.push_back(c);
}

void MetLimits::keep(const Met& met) {
  Staircase& staircase = best_[chips_of(met.candidate)];
  const auto better = [&](const Met& a, const Met& b) {
    return preferred(a.candidate, b.candidate, objective_);
  };
  auto at = std::lower_bound(staircase.begin(), staircase.end(), met.tightest,
                             [](const Met& other, size_t limit) { return other.tightest < limit; });
  if (at != staircase.begin() && better(*std::prev(at), met)) return;
  if (at != staircase.end() && at->tightest == met.tightest && better(*at, met)) return;
  const auto last =
      std::find_if(at, staircase.end(), [&](const Met& other) { return better(other, met); });
  if (at == last) {
    staircase.insert(at, met);
  } else {
    *at = met;
    staircase.erase(std::next(at), last);
  }
}

void MetLimits::add(const MetLimits& other) {
  for (size_t i = 0; i < other.met_.size(); ++i) met_[i] += other.met_[i];
  for (const auto& [chips, staircase] : other.best_) {
    for (const Met& met : staircase) keep(met);
  }
  at_limits_.insert(at_limits_.end(), other.at_limits_.begin(), other.at_limits_.end());
}

std::uint64_t MetLimits::feasible(Seconds limit) const {
  const auto tighter = static_cast<std::ptrdiff_t>(tightest(limit)) + 1;
  return std::accumulate(met_.begin(), met_.begin() + tighter, std::uint64_t{0});
}

bool MetLimits::answers(Seconds limit) const {
  return std::binary_search(limits_.begin(), limits_.end(), limit);
}

std::vector<Candidate> MetLimits::best_of_chips() const {
  std::vector<Candidate> list;
  for (const auto& [chips, staircase] : best_) {
    for (const Met& met : staircase) list.push_back(met.candidate);
  }
  return list;
}

}  // namespace afford
