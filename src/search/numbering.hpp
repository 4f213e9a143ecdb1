#pragma once
// Candidates by their numbers in a space that is not the one they were searched in.

#include <map>
#include <tuple>
#include <utility>

#include "search/space.hpp"

namespace afford {

class Numbering {
 public:
  /// `space` must outlive it; prompts do not count there.
  Numbering(Enumeration enumeration, const Space& space);

  [[nodiscard]] const Enumeration& enumeration() const { return enumeration_; }
  /// Of a candidate that is one of the space.
  [[nodiscard]] std::uint64_t number_of(const Candidate& candidate) const;

 private:
  using Pools = std::tuple<Way, std::uint32_t, std::uint32_t, std::uint32_t>;
  using Splits = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t>;
  using Key = std::pair<Pools, Splits>;
  [[nodiscard]] static Key key_of(const Candidate& unit);
  [[nodiscard]] std::uint64_t number_of(const Candidate& candidate, const Unit& ffn) const;

  Enumeration enumeration_;
  const Space& space_;
  std::map<Key, size_t> units_;
};

}  // namespace afford
