#pragma once
// What every study of deployments says of what it evaluates, be it one deployment or a fleet.

#include <string>
#include <vector>

#include "deploy/evaluate.hpp"

namespace afford::study {

/// Accelerators of one kind at work.
struct ChipsUsed {
  const HardwareSpec* chip = nullptr;  // never null
  std::int64_t accelerators = 0;
};

/// The figures that simulate, pareto and plan share. Records of all of them carry the same fields
/// for it, so that one more is added in one place.
struct Served {
  std::vector<ChipsUsed> chips;
  TokenRate tokens;      // a second, by all of them together
  std::string fidelity;  // what the times rest on
};

}  // namespace afford::study
