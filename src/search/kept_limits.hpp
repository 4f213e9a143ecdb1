#pragma once
// A search that is asked again and again under other TPOT limits, as a slider moves.

#include <optional>

#include "search/explore.hpp"

namespace afford {

/// The first question is a plain search. The second is one under every whole millisecond up to
/// 200, which answers later ones without a search, to the last bit.
class KeptLimits {
 public:
  /// What explore() finds. The space, and the setting and options but for the limit, are those of
  /// the questions before, which their holder sees to; no prices range, no prompts count and
  /// nothing is watched or described.
  [[nodiscard]] Explored search(const Space& space, const Setting& setting,
                                const ExploreOptions& options);

 private:
  bool asked_ = false;
  std::optional<Explored> found_;  // under many limits
};

}  // namespace afford
