#include "study/search.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "error.hpp"
#include "load/calibrations.hpp"
#include "load/library.hpp"
#include "text/suggest.hpp"

namespace afford::study {
namespace {

/// Of each chip; what is not listed is not limited.
std::vector<std::int64_t> inventory_of(const SearchRequest& request,
                                       const std::vector<HardwareSpec>& chips) {
  if (request.inventory.empty()) return {};
  std::vector<std::int64_t> inventory(chips.size(), most_gpus);
  std::vector<std::string> names;
  for (const HardwareSpec& chip : chips) names.push_back(chip.name);
  for (const Inventory& listed : request.inventory) {
    const auto at = std::find(names.begin(), names.end(), listed.chip);
    if (at == names.end()) {
      throw ValueError(listed.source, fmt::format(": '{}' is not among the chips of this run{}",
                                                  listed.chip, suggestion(listed.chip, names)));
    }
    inventory[static_cast<size_t>(at - names.begin())] = listed.accelerators;
  }
  return inventory;
}

/// A size that no chip joins would leave AFD out of the search without a word.
void check_instance_sizes(const std::vector<std::int64_t>& sizes,
                          const std::vector<HardwareSpec>& chips) {
  std::int64_t most = 0;
  for (const HardwareSpec& chip : chips) most = std::max(most, joined_accelerators(chip));
  for (const std::int64_t size : sizes) {
    if (size > most)
      throw ValueError(
          "instance sizes",
          fmt::format(": no chip of the run joins {} accelerators; at most {}", size, most));
  }
}

void require_pools_for(const SearchRequest& request, const Space& space) {
  const bool asked = !request.instance_sizes.empty() || !request.micro_batches.empty() ||
                     !request.boundaries.empty() || request.places.any() ||
                     request.ffn_choice != FfnChoice::any;
  if (!asked || has_pools(space)) return;
  throw UsageError(fmt::format(
      "what is asked of AFD pools has no effect: no two instances of these chips go together "
      "within {} accelerators",
      space.max_gpus));
}

std::string pool_text(const Candidate::Side& side, const Space& space) {
  return fmt::format("{}:{}x{}", (*space.chips)[side.chip].name, side.instances, side.accelerators);
}

std::vector<Boundary> boundaries_of(const SearchRequest& request, const Engines& engines) {
  if (!request.boundaries.empty()) return request.boundaries;
  if (request.places.any()) return {Boundary::attention};
  if (engines.pools.value_or(engines.colocated).cuts_at_core)
    return {Boundary::attention, Boundary::core};
  return {Boundary::attention};
}

}  // namespace

Space space_of(const SearchRequest& request, const std::vector<HardwareSpec>& chips,
               const Engines& engines, const ModelSpec& model) {
  check_range("max gpus", request.max_gpus, 1, most_gpus);
  check_range("batch steps", request.batch_steps, 1, 1024);
  check_range("threads", request.threads, 0, 4096);
  check_instance_sizes(request.instance_sizes, chips);
  const std::vector<int> micro_batches =
      request.micro_batches.empty() ? std::vector{2, 3, 4} : request.micro_batches;
  Space space{.chips = &chips,
              .inventory = inventory_of(request, chips),
              .max_gpus = request.max_gpus,
              .instance_sizes = request.instance_sizes,
              .micro_batches = micro_batches,
              .attention_splits = request.attention_splits,
              .boundaries = boundaries_of(request, engines),
              .places = {},
              .ffn_choice = request.ffn_choice,
              .ffn_split = request.ffn_split,
              .ways = request.ways.empty() ? Space().ways : request.ways,
              .batch_steps = request.batch_steps};
  space.places = places_of(request.places, space.boundaries, model);
  require_pools_for(request, space);
  return space;
}

std::optional<bool> widen(Space& space, const SearchRequest& request, const Setting& setting,
                          const std::atomic<bool>* stop) {
  if (!request.ways.empty()) return std::nullopt;
  if (any_feasible(space, setting, stop)) return false;
  Space mixed = space;
  mixed.ways = {Way::mixed};
  if (!any_feasible(mixed, setting, stop)) return false;
  space.ways.push_back(Way::mixed);
  return true;
}

std::string pools_text(const Candidate& c, const Space& space) {
  if (c.way != Way::disaggregated) return pool_text(c.attention, space);
  return pool_text(c.attention, space) + " + " + pool_text(c.ffn, space);
}

}  // namespace afford::study
