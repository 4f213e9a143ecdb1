#include "study/served.hpp"

#include <algorithm>
#include <limits>

namespace afford::study {

JoulesPerToken energy_of(const Served& served) {
  Watts power;
  for (const ChipsUsed& used : served.chips) {
    if (!used.chip->power.stated()) return JoulesPerToken(std::numeric_limits<double>::quiet_NaN());
    const double share = idle_power + (1 - idle_power) * used.busy;
    power += used.accelerators * share * used.chip->power.value;
  }
  return served.pue * power / served.tokens;
}

BusyShares busy_shares(const Evaluation& e, int micro_batches) {
  Seconds attention = e.head, ffn;
  for (size_t kind = 0; kind < e.runs.size(); ++kind) {
    const LayerRun& run = e.runs[kind];
    attention += real(run.layers) * run.stages.attention;
    ffn += real(run.layers) * run.stages.ffn;
  }
  const auto share = [&](Seconds each) { return std::min(1.0, micro_batches * each / e.step); };
  return {.attention = share(attention), .ffn = share(ffn)};
}

}  // namespace afford::study
