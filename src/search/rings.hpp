#pragma once
// Spaces one within the next: they differ in how many accelerators of a chip, or of all, a
// deployment may take. What each of them adds to those before it is a ring.

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "search/candidate.hpp"

namespace afford {

/// Candidates by the accelerators they take.
struct Ring {
  std::optional<std::uint32_t> chip{};  // whose accelerators; none: all
  std::int64_t above = -1, most = std::numeric_limits<std::int64_t>::max();

  [[nodiscard]] std::int64_t taken_by(const Candidate::Side& pool) const {
    return !chip || pool.chip == *chip ? pool.size() : 0;
  }
  [[nodiscard]] bool holds(const Candidate::Side& attention, const Candidate::Side& ffn) const {
    const std::int64_t taken = taken_by(attention) + taken_by(ffn);
    return taken > above && taken <= most;
  }
};

/// What bounds the spaces.
struct Bounds {
  std::optional<std::uint32_t> chip{};
  std::vector<std::int64_t> most{};  // ascending; the last is that of the largest. Empty: one space

  [[nodiscard]] bool several() const { return most.size() > 1; }
  [[nodiscard]] std::size_t rings() const { return several() ? most.size() : 1; }
  [[nodiscard]] Ring ring(std::size_t number) const;
  /// The number of the ring with candidates that take so many.
  [[nodiscard]] std::size_t ring_of(std::int64_t taken) const;
};

}  // namespace afford
