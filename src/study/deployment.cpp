#include "study/deployment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <numeric>

#include "error.hpp"
#include "load/library.hpp"

namespace afford::study {
namespace {

/// How many micro-batches, and the requests in all of them.
struct InFlight {
  std::int64_t batch = 0;
  int micro_batches = 0;
};

void require_batch(std::int64_t batch, const std::string& name) {
  if (batch < 1) throw ValueError(name, ": expected the number of requests in flight, at least 1");
}

void check_micro_batches(int micro_batches) {
  if (micro_batches < 0 || micro_batches > 64)
    throw ValueError("micro-batches", ": expected 1 to 64");
}

void check_pipeline(const AfdRequest& request) {
  if (request.stages != 3 && request.stages != 4)
    throw ValueError("stages", fmt::format(": expected 3 or 4, got {}", request.stages));
  check_micro_batches(request.micro_batches);
}

InFlight uneven_in_flight(const AfdRequest& request) {
  const std::vector<std::int64_t>& sizes = request.micro_batch_sizes;
  const std::int64_t sum = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
  const std::string name = "micro-batch sizes";
  if (request.micro_batches != 0 && static_cast<size_t>(request.micro_batches) != sizes.size()) {
    throw ValueError(
        name, fmt::format(": {} sizes for {} micro-batches", sizes.size(), request.micro_batches));
  }
  if (request.batch != 0 && request.batch != sum) {
    throw ValueError(name, fmt::format(": add up to {}, not to a batch of {}", sum, request.batch));
  }
  return {sum, static_cast<int>(sizes.size())};
}

InFlight in_flight(const AfdRequest& request) {
  if (!request.micro_batch_sizes.empty()) return uneven_in_flight(request);
  require_batch(request.batch, "batch");
  const int micro_batches = request.micro_batches_in_flight();
  if (request.batch % micro_batches != 0) {
    throw ValueError(
        "batch",
        fmt::format(": {} requests do not divide into {} micro-batches; {} would", request.batch,
                    micro_batches, (request.batch / micro_batches + 1) * micro_batches));
  }
  return {request.batch, micro_batches};
}

HardwareSpec chip_of(const PoolRequest& pool, const Conditions& conditions,
                     const std::string& name) {
  HardwareSpec chip = conditions.files->chip(pool.chip, conditions.what_if.edits);
  if (pool.accelerators > joined_accelerators(chip)) {
    throw ValueError(name,
                     fmt::format(": an instance of {} is larger than what {} joins by {} ({})",
                                 pool.accelerators, chip.name, chip.scale_up_kind,
                                 chip.scale_up_accelerators.value));
  }
  return with_bandwidths(std::move(chip), conditions);
}

/// What leaves a server goes over its NICs.
void require_network(const HardwareSpec& chip, const std::string& name, std::string_view what) {
  if (has_network(chip)) return;
  throw ValueError(name, fmt::format(": {} states no NIC, which {}", chip.name, what));
}

/// What the engine does where nothing is said; nothing: as resolved() has it.
FfnSplit split_of_engine(const Pool& ffn, const Conditions& conditions, const ModelSpec& model,
                         const std::vector<HardwareSpec>& chips) {
  const Engines engines = engines_of(conditions, chips);
  const Engine& engine = engines.pools ? *engines.pools : engines.colocated;
  if (!engine.time.ffn_pool.expert_parallel || ffn.size() > most_experts(model)) return {};
  return {1, ffn.size()};
}

FfnSplit split_asked(const AfdRequest& request, const Pool& ffn) {
  switch (request.ffn_choice) {
    case FfnChoice::tensor:
      return {ffn.accelerators, 1};
    case FfnChoice::expert:
      return {1, ffn.size()};
    case FfnChoice::exact:
      return request.ffn_split;
    case FfnChoice::any:
      break;
  }
  return {};
}

/// Engines refuse heads that do not divide: each accelerator of a group has as many.
void check_heads(std::int64_t ways, const ModelSpec& model, const std::string& name) {
  const std::string heads = undivided_heads(layer_shapes(model), ways);
  if (!heads.empty())
    throw ValueError(name,
                     fmt::format(": tp{} does not divide the {} of {}", ways, heads, model.name));
}

/// Sizes of micro-batches whose requests do not divide over what shares them: each but the last
/// fills every one of those alike, so that 28 requests of two on four accelerators are 16 and 12.
std::vector<std::int64_t> uneven_sizes(const Disaggregated& d) {
  const std::int64_t units = d.attention_units();
  if (d.batch / d.micro_batches % units == 0) return {};
  std::vector<std::int64_t> sizes;
  std::int64_t left = d.batch;
  for (std::int64_t others = d.micro_batches; others > 0; --others) {
    const std::int64_t rounds = (left + others * units - 1) / (others * units);
    sizes.push_back(std::min(left, rounds * units));
    left -= sizes.back();
  }
  if (sizes.back() == 0) return {};  // fewer requests than that: some accelerators idle
  return sizes;
}

Deployment disaggregated_of(const AfdRequest& request, const Conditions& conditions,
                            const ModelSpec& model) {
  Deployment out;
  out.chips.push_back(chip_of(request.attention, conditions, "attention"));
  out.chips.push_back(chip_of(request.ffn, conditions, "ffn"));
  require_network(out.chips[0], "attention", "the two pools are joined by");
  require_network(out.chips[1], "ffn", "the two pools are joined by");
  out.micro_batch_sizes = request.micro_batch_sizes;
  const InFlight flying = in_flight(request);
  Disaggregated d{
      .attention = {&out.chips[0], request.attention.instances, request.attention.accelerators},
      .ffn = {&out.chips[1], request.ffn.instances, request.ffn.accelerators},
      .batch = flying.batch,
      .micro_batches = flying.micro_batches,
      .attention_split = request.attention_split,
      .ffn_split = {},
      .boundary = request.boundary,
      .places = places_of(request.places, std::span(&request.boundary, 1), model)};
  if (d.attention_split == AttentionSplit::tensor)
    check_heads(d.attention.accelerators, model, "attention parallelism");
  const FfnSplit asked = request.ffn_choice == FfnChoice::any
                             ? split_of_engine(d.ffn, conditions, model, out.chips)
                             : split_asked(request, d.ffn);
  d.ffn_split = resolved(asked, d.ffn, model);
  if (out.micro_batch_sizes.empty()) out.micro_batch_sizes = uneven_sizes(d);
  out.way = d;
  if (d.boundary == Boundary::core) check_heads(d.ffn_split.tensor, model, "ffn parallelism");
  out.label = label_of(d.attention.instances, d.ffn.instances, d.boundary, d.places);
  return out;
}

Layout layout_of(const ColocatedRequest& request, const Pool& pool) {
  const std::int64_t tensor = request.tensor;
  const bool placed = tensor >= 1 && pool.size() % tensor == 0 &&
                      (pool.accelerators % tensor == 0 || tensor % pool.accelerators == 0);
  if (!placed) {
    throw ValueError("tensor parallelism",
                     fmt::format(": {} does not divide an instance of {}, nor fill whole ones",
                                 tensor, pool.accelerators));
  }
  if (!request.layout) return tensor > 1 ? tensor_parallel(tensor) : expert_parallel(pool.size());
  if (tensor > 1) throw ValueError("tensor parallelism", ": the parallelism says it already");
  check_layout(*request.layout, pool);
  return *request.layout;
}

std::int64_t batch_of(const ColocatedRequest& request, const Pool& pool) {
  if (request.batch == 0 && request.batch_per_gpu != 0) {
    require_batch(request.batch_per_gpu, "batch per gpu");
    return request.batch_per_gpu * pool.size();
  }
  require_batch(request.batch, "batch");
  if (request.batch_per_gpu != 0)
    throw ValueError("batch per gpu", ": the batch is given already, for all accelerators");
  return request.batch;
}

int micro_batches_of(const ColocatedRequest& request, const Colocated& c, const ModelSpec& model) {
  const std::int64_t requests = (c.batch + c.replicas() - 1) / c.replicas();
  if (request.micro_batches > requests) {
    throw ValueError("micro-batches", fmt::format(": {} for the {} requests of a replica",
                                                  request.micro_batches, requests));
  }
  if (request.micro_batches > 0) return request.micro_batches;
  return static_cast<int>(std::min<std::int64_t>(default_micro_batches(c, model), requests));
}

Deployment colocated_of(const ColocatedRequest& request, const Conditions& conditions,
                        const ModelSpec& model) {
  Deployment out;
  out.chips.push_back(chip_of(request.pool, conditions, "colocated"));
  Colocated c{.pool = {&out.chips[0], request.pool.instances, request.pool.accelerators},
              .batch = 0,
              .micro_batches = 1,
              .layout = {}};
  c.batch = batch_of(request, c.pool);
  c.layout = layout_of(request, c.pool);
  if (const auto complaint = objection(c.layout, model, conditions.redundant_experts))
    throw ValueError(request.tensor > 1 ? "tensor parallelism" : "parallelism", ": " + *complaint);
  if (c.layout.engine() > joined_accelerators(out.chips[0]))
    require_network(out.chips[0], "colocated", "an engine of several servers is joined by");
  c.micro_batches = micro_batches_of(request, c, model);
  out.way = c;
  out.label = name_of(c.layout);
  return out;
}

/// Nothing in an answer tells two chips of one name apart.
void require_one_file_a_name(const std::vector<HardwareSpec*>& chips) {
  std::map<std::string, std::string> files;
  for (const HardwareSpec* chip : chips) {
    const auto [known, fresh] = files.emplace(chip->name, chip->file);
    std::error_code none;
    if (fresh || known->second == chip->file ||
        std::filesystem::equivalent(known->second, chip->file, none))
      continue;
    throw UsageError(
        fmt::format("two chips are named {}: {} and {}", chip->name, known->second, chip->file));
  }
}

}  // namespace

int Deployment::micro_batches() const {
  return std::visit([](const auto& d) { return d.micro_batches; }, way);
}

std::string Deployment::chips_text() const {
  const std::string &first = chips.front().name, &last = chips.back().name;
  return first == last ? first : first + " + " + last;
}

std::string Deployment::fidelity() const { return fidelity_of(chips.front(), chips.back()); }

DeploymentRequest one_prompt_each(const Conditions& conditions, const ColocatedRequest& pool) {
  DeploymentRequest request{conditions, {}, pool};
  request.colocated->batch_per_gpu = 1;
  return request;
}

std::vector<Deployment> deployments_of(const DeploymentRequest& request, const ModelSpec& model,
                                       LeftOut* left_out) {
  std::vector<Deployment> deployments;
  if (request.afd) {
    check_pipeline(*request.afd);
    deployments.push_back(disaggregated_of(*request.afd, request, model));
  }
  if (request.colocated) {
    check_micro_batches(request.colocated->micro_batches);
    deployments.push_back(colocated_of(*request.colocated, request, model));
  }
  if (deployments.empty())
    throw UsageError("no deployment: expected an attention and an FFN pool, or a co-located one");
  std::vector<HardwareSpec*> chips;
  for (Deployment& deployment : deployments) {
    for (HardwareSpec& chip : deployment.chips) chips.push_back(&chip);
  }
  require_one_file_a_name(chips);
  finish_chips(chips, request, left_out);
  return deployments;
}

Engines engines_of(const Conditions& conditions, const Deployment& deployment) {
  return deployment.colocated() != nullptr ? colocated_engines_of(conditions, deployment.chips)
                                           : engines_of(conditions, deployment.chips);
}

}  // namespace afford::study
