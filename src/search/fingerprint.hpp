#pragma once
// What tells one search from another.

#include <atomic>
#include <string>
#include <string_view>
#include <vector>

#include "search/space.hpp"

namespace afford {

/// What a search enumerates and candidates spread over all of it, whatever the prices and the TPOT
/// limit.
struct Samples {
  struct Sample {
    std::uint64_t first = 0;  // number of its unit
    Candidate candidate;
    Seconds tpot;
    Verdict verdict = Verdict::feasible;  // under the limit it was taken with
  };
  std::uint64_t candidates = 0;
  std::vector<std::int64_t> batches;
  std::vector<Sample> samples;
};
[[nodiscard]] Samples samples_of(const Space& space, const Setting& setting,
                                 const std::atomic<bool>* stop = nullptr);

/// Sixteen hexadecimal digits that differ where anything does that decides which candidates there
/// are, what they come to or which are kept: bounds, models, chips, prices, calibrations, TPOT
/// limit, objective. Taken from what the search enumerates and from the goals of the samples, so it
/// needs no list of what might matter. `samples`: of the space at any prices
/// and under any limit.
[[nodiscard]] std::string fingerprint(const Samples& samples, const Space& space,
                                      const Setting& setting, Objective objective);

/// The same of a text.
[[nodiscard]] std::string fingerprint(std::string_view text);

}  // namespace afford
