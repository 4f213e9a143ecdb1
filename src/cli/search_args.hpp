#pragma once
// The bounds of a search on the command line.

#include "cli/deployment_args.hpp"
#include "search/explore.hpp"

namespace afford::cli {

struct SearchArgs : DeploymentArgs {
  std::vector<std::string> inventory, instance_sizes, ways{"afd", "ep", "tp"}, micro_batch_list,
      stage_list, attention_splits{"dp", "tp"};
  std::string objective = "tokens";
  int max_gpus = 128, batch_steps = 16, threads = 0;
};
void add_search(Verb& verb, SearchArgs& args);

/// The chips of --on with the prices and bandwidths asked for.
[[nodiscard]] std::vector<HardwareSpec> chips_of(const SearchArgs& args);

/// "Prices, USD/h: h800 2.00, 910b 1.00 (estimate)."
[[nodiscard]] std::string prices_text(const std::vector<HardwareSpec>& chips);

/// The bounds; `chips` must outlive them. Throws UsageError.
[[nodiscard]] Space space_of(const SearchArgs& args, const std::vector<HardwareSpec>& chips);

[[nodiscard]] Objective objective_of(const SearchArgs& args);

/// "9,796,080 candidates: 2,187,163 feasible, ...".
[[nodiscard]] std::string tally_text(const Tally& tally, Seconds tpot_limit);

/// 9796080 -> "9,796,080".
[[nodiscard]] std::string grouped(std::uint64_t number);

}  // namespace afford::cli
