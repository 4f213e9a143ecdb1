#pragma once
// --sweep PARAMETER=VALUES: one run for each value of what is usually a flag.

#include <string>
#include <utility>
#include <vector>

#include "cli/deployment_args.hpp"

namespace afford::cli {

/// "price.h800=0.5..2+0.25", "tpot=20..100*2 ms", "context=8k,32k".
struct Sweep {
  std::string parameter;            // "price.h800"
  std::vector<std::string> values;  // as the flag would take them
};

/// One value of one sweep, and as a number in the unit of its column.
struct SweptValue {
  std::string parameter, text;
  double number = 0;
};
using SweepPoint = std::vector<SweptValue>;

/// `extra` are parameters that a verb applies itself, with the unit of their columns ("rate",
/// "_per_s").
using ExtraParameters = std::vector<std::pair<std::string, std::string>>;

void add_sweep(Verb& verb, std::vector<std::string>& sweeps);

/// Every combination, the last sweep fastest; one empty point without sweeps. Throws UsageError.
[[nodiscard]] std::vector<SweepPoint> sweep_points(const std::vector<std::string>& sweeps,
                                                   const ExtraParameters& extra = {});

/// Sets what the point says; leaves `extra` parameters to the verb.
void apply_sweep(const SweepPoint& point, DeploymentArgs& args);

/// One column for each sweep, such as sweep_price_h800_usd_per_h; shown to people too.
[[nodiscard]] std::vector<Column> sweep_columns(const SweepPoint& point,
                                                const ExtraParameters& extra = {});
void append(std::vector<Cell>& row, const SweepPoint& point);

/// "price.h800 1.25, tpot 40ms".
[[nodiscard]] std::string text(const SweepPoint& point);

/// The cost of one choice (a pair of chips, a deployment) at one value of a sweep, everything else
/// in `group`.
struct SweptCost {
  std::string group, choice;
  double at = 0, usd_per_mtok = 0;
};

/// The costs of the choices that are cheapest somewhere.
[[nodiscard]] std::vector<SweptCost> ever_cheapest(const std::vector<SweptCost>& costs);

/// Where the cheapest choice changes, by linear interpolation between the values tried: "step-3 at
/// 8K: h20 + h800 is cheapest up to price.h800 1.31, h800 + h800 above".
[[nodiscard]] std::vector<std::string> break_evens(const std::vector<SweptCost>& costs,
                                                   const std::string& parameter);

}  // namespace afford::cli
