#pragma once
// Cases of a run that differ in prices, TPOT limits or how many accelerators there are alone: one
// search finds what each of them asks for.

#include <map>
#include <string>

#include "search/left_times.hpp"
#include "search/numbering.hpp"
#include "study/frontier.hpp"

namespace afford::study {

/// The same of two cases of a run that differ in nothing but prices.
[[nodiscard]] std::string but_for_prices(const FrontierCase& c);

/// The same of two that have the same candidates, which take the same time: prices and TPOT limits
/// may differ.
[[nodiscard]] std::string same_candidates(const FrontierCase& c);

/// A point of one frontier, for those at other prices, limits and bounds that it is on, too.
struct KnownPoint {
  FrontierPoint point;
  double deviation = 0;  // of the closed form from the events
};
using KnownPoints = std::map<std::uint64_t, KnownPoint>;  // by the candidate's number in the search

/// Searches the cases of a run, in their order.
class CaseSearches {
 public:
  /// Both must outlive it. Cases that share nothing: where all candidates are described, where one
  /// is watched or prompts count.
  CaseSearches(const FrontierRequest& request, const std::vector<FrontierCase>& cases,
               const FrontierHooks& hooks);
  /// With the candidates' numbers in the search, which may be that of a larger space.
  [[nodiscard]] Explored search(size_t number, ExploreOptions options);
  /// Gives the candidates of the case that was searched last the numbers they have in its space.
  void number(FrontierResult& result) const;
  /// What the case shares with others; until the next search.
  [[nodiscard]] KnownPoints& known(size_t number);

 private:
  struct Group {
    std::vector<size_t> cases;
    Bounds bounds{};
    std::optional<Explored> found;  // until the last of them has it
    KnownPoints known;
  };
  [[nodiscard]] Group& group_of(size_t number) { return groups_[group_[number]]; }
  [[nodiscard]] Bounds bounds_of(const Group& group) const;
  [[nodiscard]] Explored search_for_all(const Group& group, ExploreOptions options) const;
  [[nodiscard]] Explored bounded(const Group& group, const FrontierCase& c);

  /// Of what cases before it left, FFN times that are the case's too; null where none can be.
  [[nodiscard]] LeftTimes* ffn_times_for(const FrontierCase& c);

  const std::vector<FrontierCase>& cases_;
  KeptFrontiers* kept_ = nullptr;
  std::vector<Group> groups_;
  std::vector<size_t> group_;  // of each case
  std::optional<LeftTimes> ffn_times_;
  std::string ffn_times_of_;            // what the cases have in common whose times they are
  std::optional<Numbering> numbering_;  // of the case at hand, where the search has other numbers
};

}  // namespace afford::study
