#pragma once
// Cases of a run that differ in prices or TPOT limits alone: one search finds what each of them
// asks for.

#include <map>
#include <string>

#include "study/frontier.hpp"

namespace afford::study {

/// The same of two cases of a run that differ in nothing but prices.
[[nodiscard]] std::string but_for_prices(const FrontierCase& c);

/// The same of two that have the same candidates, which take the same time: prices and TPOT limits
/// may differ.
[[nodiscard]] std::string same_candidates(const FrontierCase& c);

/// A point of one frontier, for those at other prices and limits that it is on, too.
struct KnownPoint {
  FrontierPoint point;
  double deviation = 0;  // of the closed form from the events
};
using KnownPoints = std::map<std::uint64_t, KnownPoint>;  // by the candidate's number

/// Searches the cases of a run, in their order.
class CaseSearches {
 public:
  /// Both must outlive it. Cases that share nothing: where all candidates are described, where one
  /// is watched or prompts count.
  CaseSearches(const FrontierRequest& request, const std::vector<FrontierCase>& cases,
               const FrontierHooks& hooks);
  [[nodiscard]] Explored search(size_t number, const ExploreOptions& options);
  /// What the case shares with others; until the next search.
  [[nodiscard]] KnownPoints& known(size_t number);

 private:
  struct Group {
    std::vector<size_t> cases;
    std::optional<Explored> found;  // until the last of them has it
    KnownPoints known;
  };
  [[nodiscard]] Group& group_of(size_t number) { return groups_[group_[number]]; }
  [[nodiscard]] Explored search_for_all(const Group& group, ExploreOptions options) const;

  const std::vector<FrontierCase>& cases_;
  KeptFrontiers* kept_ = nullptr;
  std::vector<Group> groups_;
  std::vector<size_t> group_;  // of each case
};

}  // namespace afford::study
