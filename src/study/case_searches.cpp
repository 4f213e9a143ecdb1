#include "study/case_searches.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "search/other_bounds.hpp"
#include "search/other_limits.hpp"
#include "search/other_prices.hpp"
#include "study/kept_frontiers.hpp"

namespace afford::study {
namespace {

bool is_price(const SweptValue& value) { return value.parameter == Parameter::price; }
bool is_context(const SweptValue& value) { return value.parameter == Parameter::context; }

/// All swept values but those of this kind.
template <class Kind>
std::string swept_without(const FrontierCase& c, const Kind& kind) {
  SweepPoint others;
  std::remove_copy_if(c.swept.begin(), c.swept.end(), std::back_inserter(others), kind);
  return text_of(others);
}

/// What tells a case from others but for values of this kind.
template <class Kind>
std::string text_without(const FrontierCase& c, const Kind& kind) {
  return fmt::format("{} at {}, {}", c.prepared->model.name, c.setting.context,
                     swept_without(c, kind));
}

bool is_bound(const SweptValue& value) {
  return value.parameter == Parameter::inventory || value.parameter == Parameter::gpus;
}

/// Of the values of a kind the last, which is the one that ranges in a search; null: there is none.
template <class Kind>
const SweptValue* last_of(const SweepPoint& point, const Kind& kind) {
  const auto last = std::find_if(point.rbegin(), point.rend(), kind);
  return last == point.rend() ? nullptr : &*last;
}
const SweptValue* last_price(const SweepPoint& point) { return last_of(point, is_price); }

/// Whether what one value of the bound allows is all among what a larger one does, in the same
/// order: a shard takes every so many units of its own space, and the batches of mixed layouts
/// follow from the most accelerators of a deployment.
bool nest(const SweptValue& bound, const FrontierCase& c) {
  const std::vector<Way>& ways = c.space.ways;
  const bool mixed = std::find(ways.begin(), ways.end(), Way::mixed) != ways.end();
  return c.shard.of == 1 && (bound.parameter == Parameter::inventory || !mixed);
}

/// Whether one search answers for every value: of the last bound; of a price, the last one where
/// money counts (no price does elsewhere), or of the TPOT limit, where no price ranges.
bool shared(const SweptValue& value, const FrontierCase& c) {
  const bool money = counts_money(c.objective);
  const SweptValue* price = last_price(c.swept);
  if (is_bound(value)) return &value == last_of(c.swept, is_bound) && nest(value, c);
  if (is_price(value)) return !money || &value == price;
  return value.parameter == Parameter::tpot && !(money && price != nullptr);
}

/// The chip of a bound; none: it is of all of them.
std::optional<std::uint32_t> chip_of(const SweptValue& bound, const FrontierCase& c) {
  if (bound.parameter == Parameter::gpus) return std::nullopt;
  const auto at = std::find_if(c.chips->begin(), c.chips->end(),
                               [&](const HardwareSpec& chip) { return chip.name == bound.chip; });
  return static_cast<std::uint32_t>(at - c.chips->begin());
}

std::int64_t most_of(const FrontierCase& c, std::optional<std::uint32_t> chip) {
  return chip ? c.space.inventory[*chip] : c.space.max_gpus;
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

LeftTimes* CaseSearches::ffn_times_for(const FrontierCase& c) {
  const std::vector<Boundary>& boundaries = c.space.boundaries;
  if (std::find(boundaries.begin(), boundaries.end(), Boundary::core) != boundaries.end())
    return nullptr;
  const std::string part = fmt::format("{}, {}, mixed {}", c.prepared->model.name,
                                       swept_without(c, is_context), c.widened.value_or(false));
  if (part != ffn_times_of_) ffn_times_.emplace();
  ffn_times_of_ = part;
  return &*ffn_times_;
}

Bounds CaseSearches::bounds_of(const Group& group) const {
  const FrontierCase& first = cases_[group.cases.front()];
  const SweptValue* bound = last_of(first.swept, is_bound);
  if (bound == nullptr || !shared(*bound, first)) return {};
  Bounds bounds{.chip = chip_of(*bound, first)};
  for (const size_t i : group.cases) bounds.most.push_back(most_of(cases_[i], bounds.chip));
  std::sort(bounds.most.begin(), bounds.most.end());
  bounds.most.erase(std::unique(bounds.most.begin(), bounds.most.end()), bounds.most.end());
  return bounds;
}

Explored CaseSearches::search_for_all(const Group& group, ExploreOptions options) const {
  const auto cheaper = [&](size_t a, size_t b) {
    return last_price(cases_[a].swept)->value < last_price(cases_[b].swept)->value;
  };
  const auto tighter = [&](size_t a, size_t b) {
    return cases_[a].setting.tpot_limit < cases_[b].setting.tpot_limit;
  };
  const auto fewer = [&](size_t a, size_t b) {
    return most_of(cases_[a], group.bounds.chip) < most_of(cases_[b], group.bounds.chip);
  };
  const auto loosest = std::max_element(group.cases.begin(), group.cases.end(), tighter);
  const auto largest = group.bounds.several()
                           ? std::max_element(group.cases.begin(), group.cases.end(), fewer)
                           : loosest;
  Space space = cases_[*largest].space;
  const FrontierCase& widest = cases_[*loosest];
  options.bounds = group.bounds;
  if (counts_money(widest.objective) && last_price(widest.swept) != nullptr) {
    const auto [low, high] = std::minmax_element(group.cases.begin(), group.cases.end(), cheaper);
    space.chips = cases_[*low].space.chips;
    options.other_prices = &*cases_[*high].chips;
    return explore(space, cases_[*low].setting, options);
  }
  for (const size_t i : group.cases) {
    if (tighter(i, *loosest)) options.limits.push_back(cases_[i].setting.tpot_limit);
  }
  if (!options.limits.empty()) options.limits.push_back(widest.setting.tpot_limit);
  return explore(space, widest.setting, options);
}

/// As the search of all has it, under the bound of the case.
Explored CaseSearches::bounded(const Group& group, const FrontierCase& c) {
  const std::vector<std::int64_t>& most = group.bounds.most;
  const auto at = std::lower_bound(most.begin(), most.end(), most_of(c, group.bounds.chip));
  numbering_.emplace(enumerate(c.space, c.setting), c.space);
  return at_bound(*group.found, static_cast<size_t>(at - most.begin()),
                  numbering_->enumeration().candidates);
}

Explored CaseSearches::search(size_t number, ExploreOptions options) {
  const FrontierCase& c = cases_[number];
  if (kept_ != nullptr) return kept_->of(c).limits.search(c.space, c.setting, options);
  Group& group = group_of(number);
  numbering_.reset();
  if (!group.found && cases_.size() > group.cases.size()) options.ffn_times = ffn_times_for(c);
  if (group.cases.size() == 1) return explore(c.space, c.setting, options);
  if (!group.found) {
    group.bounds = bounds_of(group);
    group.found = search_for_all(group, options);
  }
  std::optional<Explored> within;
  if (group.bounds.several()) within = bounded(group, c);
  const Explored& found = within ? *within : *group.found;
  std::optional<Explored> answer;
  if (found.limits.several()) answer = at_limit(found, c.space, c.setting);
  if (last_price(c.swept) != nullptr)
    answer = at_prices(answer ? *answer : found, c.space, c.setting);
  if (!answer) answer = found;
  if (number == group.cases.back()) group.found.reset();
  return std::move(*answer);
}

void CaseSearches::number(FrontierResult& result) const {
  if (!numbering_) return;
  result.found = renumbered(result.found, *numbering_, result.of->chips->size());
  const std::vector<Candidate>& points = result.found.frontier.points();
  for (size_t i = 0; i < points.size(); ++i) result.points[i].candidate.number = points[i].number;
}

KnownPoints& CaseSearches::known(size_t number) {
  return kept_ != nullptr ? kept_->of(cases_[number]).known : group_of(number).known;
}

}  // namespace afford::study
