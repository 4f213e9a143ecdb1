#pragma once
// What every study of deployments says of what it evaluates, be it one deployment or a fleet.

#include <optional>
#include <string>
#include <vector>

#include "deploy/simulate.hpp"

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
  TokenRate tokens;              // a second, by all of them together
  std::string fidelity;          // what the times rest on
  std::string engine;            // whose time stands on top; ideal: none
  Seconds tpot;                  // of a token under it
  std::optional<Seconds> ideal;  // and under none
  Interval interval;             // of the TPOT
  bool estimated = false;        // the interval: no series was left out to measure it
};

}  // namespace afford::study
