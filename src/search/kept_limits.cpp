#include "search/kept_limits.hpp"

#include <algorithm>

#include "search/other_limits.hpp"

namespace afford {
namespace {

/// Every whole millisecond that a slider of TPOT comes to, and the one asked for.
std::vector<Seconds> limits_with(Seconds asked) {
  constexpr int most = 200;
  std::vector<Seconds> limits{asked};
  for (int i = 1; i <= most; ++i) limits.push_back(i * millisecond);
  return limits;
}

}  // namespace

Explored KeptLimits::search(const Space& space, const Setting& setting,
                            const ExploreOptions& options) {
  if (found_ && found_->limits.answers(setting.tpot_limit))
    return at_limit(*found_, space, setting);
  if (!asked_) {
    asked_ = true;
    return explore(space, setting, options);
  }
  ExploreOptions many = options;
  many.limits = limits_with(setting.tpot_limit);
  Setting loosest = setting;
  loosest.tpot_limit = *std::max_element(many.limits.begin(), many.limits.end());
  Explored found = explore(space, loosest, many);
  Explored answer = at_limit(found, space, setting);
  if (found.complete) found_ = std::move(found);
  return answer;
}

}  // namespace afford
