#pragma once
// What a search over deployments is asked for.

#include <optional>
#include <string>
#include <vector>

#include "search/explore.hpp"
#include "study/conditions.hpp"

namespace afford::study {

/// Accelerators of one chip that may be used.
struct Inventory {
  std::string chip;
  std::int64_t accelerators = 0;
  std::string source = "inventory";  // what names a chip that is none of the run's
};

inline constexpr std::int64_t most_gpus = 4096;

struct SearchRequest : Conditions {
  std::vector<std::string> chips{"h800", "h20", "a800", "910b"};
  std::vector<Inventory> inventory;          // empty: no limit
  std::int64_t max_gpus = 128;               // of a deployment
  std::vector<std::int64_t> instance_sizes;  // accelerators of AFD instances; empty: a server
  std::vector<Way> ways;           // empty: the usual ones; every one where none of these will do
  std::vector<int> micro_batches;  // of AFD; empty: 2, 3 and 4
  std::vector<AttentionSplit> attention_splits{AttentionSplit::shared_output,
                                               AttentionSplit::tensor};
  std::vector<Boundary> boundaries;  // empty: those that the engine of the pools cuts at
  PlacesAsked places;                // of AFD cut at the attention, the only cut where any is given
  FfnChoice ffn_choice = FfnChoice::any;
  FfnSplit ffn_split;  // FfnChoice::exact
  int batch_steps = 16;
  Objective objective = Objective::throughput;
  int threads = 0;  // 0: every core; the result does not depend on it
};

/// The bounds for one model; `chips` must outlive them. Throws ValueError.
[[nodiscard]] Space space_of(const SearchRequest& request, const std::vector<HardwareSpec>& chips,
                             const Engines& engines, const ModelSpec& model);

/// Where no ways are asked for: adds every other layout to a space of which nothing is feasible, if
/// of those something is. Whether it did; nothing where ways are asked for.
[[nodiscard]] std::optional<bool> widen(Space& space, const SearchRequest& request,
                                        const Setting& setting, const std::atomic<bool>* stop);

/// "h20:3x8 + h800:2x8", "h800:4x8".
[[nodiscard]] std::string pools_text(const Candidate& candidate, const Space& space);

}  // namespace afford::study
