#pragma once
// What every study of deployments says of what it evaluates, be it one deployment or a fleet.

#include <optional>
#include <string>
#include <vector>

#include "deploy/simulate.hpp"
#include "study/inputs.hpp"

namespace afford::study {

/// Accelerators of one kind at work.
struct ChipsUsed {
  const HardwareSpec* chip = nullptr;  // never null
  double accelerators = 0;
  double busy = 1;  // share of the time at work, the rest waiting for another pool
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
  double pue = 1;                // power of the site over that of the accelerators
};

/// Of a token, at the data sheets' power while at work; a waiting accelerator takes `idle_power` of
/// it. Not a number where a chip states none.
[[nodiscard]] JoulesPerToken energy_of(const Served& served);

/// An H100 SXM of 700 W reads about 70 W when nothing runs (nvidia-smi, as commonly reported).
inline constexpr double idle_power = 0.1;

/// The shares of a step during which the attention and the FFN pool work on `micro_batches`.
struct BusyShares {
  double attention = 1, ffn = 1;
};
[[nodiscard]] BusyShares busy_shares(const Evaluation& evaluation, int micro_batches);

}  // namespace afford::study
