#include "study/price_sweep.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "search/other_prices.hpp"

namespace afford::study {
namespace {

bool is_price(const SweptValue& value) { return value.parameter == Parameter::price; }

/// Of the last price of a point, which is the one that ranges where money counts.
const SweptValue* last_price(const SweepPoint& point) {
  const auto last = std::find_if(point.rbegin(), point.rend(), is_price);
  return last == point.rend() ? nullptr : &*last;
}

/// What cases of one search have in common. Where only tokens count, no price is.
std::string shared_part(const FrontierCase& c) {
  std::string part = but_for_prices(c);
  if (!counts_money(c.objective)) return part;
  for (const SweptValue& value : c.swept) {
    if (is_price(value) && &value != last_price(c.swept))
      part += fmt::format(", {} {}", value.name(), value.value);
  }
  return part;
}

}  // namespace

std::string but_for_prices(const FrontierCase& c) {
  SweepPoint others = c.swept;
  others.erase(std::remove_if(others.begin(), others.end(), is_price), others.end());
  return fmt::format("{} at {}, {}", c.prepared->model.name, c.setting.context, text_of(others));
}

CaseSearches::CaseSearches(const FrontierRequest& request, const std::vector<FrontierCase>& cases,
                           bool describing)
    : cases_(cases) {
  const bool share = !describing && request.watch.empty() && !request.requests;
  std::map<std::string, size_t> known;
  for (size_t i = 0; i < cases.size(); ++i) {
    const std::string part = share ? shared_part(cases[i]) : fmt::format("{}", i);
    const auto [at, added] = known.emplace(part, groups_.size());
    if (added) groups_.emplace_back();
    groups_[at->second].cases.push_back(i);
    group_.push_back(at->second);
  }
}

Explored CaseSearches::search_at_all_prices(const Group& group, ExploreOptions options) const {
  const auto cheaper = [&](size_t a, size_t b) {
    return last_price(cases_[a].swept)->value < last_price(cases_[b].swept)->value;
  };
  const auto [low, high] = std::minmax_element(group.cases.begin(), group.cases.end(), cheaper);
  const FrontierCase& c = cases_[*low];
  if (counts_money(c.objective)) options.other_prices = &*cases_[*high].chips;
  return explore(c.space, c.setting, options);
}

Explored CaseSearches::search(size_t number, const ExploreOptions& options) {
  const FrontierCase& c = cases_[number];
  Group& group = group_of(number);
  if (group.cases.size() == 1) return explore(c.space, c.setting, options);
  if (!group.found) group.found = search_at_all_prices(group, options);
  Explored found = at_prices(*group.found, c.space, c.setting);
  if (number == group.cases.back()) group.found.reset();
  return found;
}

}  // namespace afford::study
