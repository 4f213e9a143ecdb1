#include "study/case_searches.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "search/other_limits.hpp"
#include "search/other_prices.hpp"
#include "study/kept_frontiers.hpp"

namespace afford::study {
namespace {

bool is_price(const SweptValue& value) { return value.parameter == Parameter::price; }

/// What tells a case from others but for values of this kind.
template <class Kind>
std::string text_without(const FrontierCase& c, const Kind& kind) {
  SweepPoint others;
  std::remove_copy_if(c.swept.begin(), c.swept.end(), std::back_inserter(others), kind);
  return fmt::format("{} at {}, {}", c.prepared->model.name, c.setting.context, text_of(others));
}

/// Of the last price of a point, which is the one that ranges where money counts.
const SweptValue* last_price(const SweepPoint& point) {
  const auto last = std::find_if(point.rbegin(), point.rend(), is_price);
  return last == point.rend() ? nullptr : &*last;
}

/// Whether one search answers for every value: of a price, the last one where money counts (no
/// price does elsewhere), or of the TPOT limit, where no price ranges.
bool shared(const SweptValue& value, const FrontierCase& c) {
  const bool money = counts_money(c.objective);
  const SweptValue* price = last_price(c.swept);
  if (is_price(value)) return !money || &value == price;
  return value.parameter == Parameter::tpot && !(money && price != nullptr);
}

/// What cases of one search have in common.
std::string shared_part(const FrontierCase& c) {
  return fmt::format("{}, mixed {}",
                     text_without(c, [&](const SweptValue& value) { return shared(value, c); }),
                     c.widened.value_or(false));
}

}  // namespace

std::string but_for_prices(const FrontierCase& c) { return text_without(c, is_price); }

std::string same_candidates(const FrontierCase& c) {
  std::string text = text_without(c, [](const SweptValue& value) {
    return is_price(value) || value.parameter == Parameter::tpot;
  });
  for (const Way way : c.space.ways) text += fmt::format(", {}", name_of(way));
  return text;
}

CaseSearches::CaseSearches(const FrontierRequest& request, const std::vector<FrontierCase>& cases,
                           const FrontierHooks& hooks)
    : cases_(cases) {
  const bool share = hooks.describe == nullptr && request.watch.empty() && !request.requests;
  if (share && request.sweep.front().empty()) kept_ = hooks.kept;
  std::map<std::string, size_t> known;
  for (size_t i = 0; i < cases.size(); ++i) {
    const std::string part = share ? shared_part(cases[i]) : fmt::format("{}", i);
    const auto [at, added] = known.emplace(part, groups_.size());
    if (added) groups_.emplace_back();
    groups_[at->second].cases.push_back(i);
    group_.push_back(at->second);
  }
}

Explored CaseSearches::search_for_all(const Group& group, ExploreOptions options) const {
  const auto cheaper = [&](size_t a, size_t b) {
    return last_price(cases_[a].swept)->value < last_price(cases_[b].swept)->value;
  };
  const auto tighter = [&](size_t a, size_t b) {
    return cases_[a].setting.tpot_limit < cases_[b].setting.tpot_limit;
  };
  const auto loosest = std::max_element(group.cases.begin(), group.cases.end(), tighter);
  const FrontierCase& widest = cases_[*loosest];
  if (counts_money(widest.objective) && last_price(widest.swept) != nullptr) {
    const auto [low, high] = std::minmax_element(group.cases.begin(), group.cases.end(), cheaper);
    options.other_prices = &*cases_[*high].chips;
    return explore(cases_[*low].space, cases_[*low].setting, options);
  }
  for (const size_t i : group.cases) {
    if (tighter(i, *loosest)) options.limits.push_back(cases_[i].setting.tpot_limit);
  }
  if (!options.limits.empty()) options.limits.push_back(widest.setting.tpot_limit);
  return explore(widest.space, widest.setting, options);
}

Explored CaseSearches::search(size_t number, const ExploreOptions& options) {
  const FrontierCase& c = cases_[number];
  if (kept_ != nullptr) return kept_->of(c).limits.search(c.space, c.setting, options);
  Group& group = group_of(number);
  if (group.cases.size() == 1) return explore(c.space, c.setting, options);
  if (!group.found) group.found = search_for_all(group, options);
  const bool limits = group.found->limits.several(), money = counts_money(c.objective);
  Explored found = limits ? at_limit(*group.found, c.space, c.setting)
                          : at_prices(*group.found, c.space, c.setting);
  if (limits && !money) found = at_prices(found, c.space, c.setting);
  if (number == group.cases.back()) group.found.reset();
  return found;
}

KnownPoints& CaseSearches::known(size_t number) {
  return kept_ != nullptr ? kept_->of(cases_[number]).known : group_of(number).known;
}

}  // namespace afford::study
