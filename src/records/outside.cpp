#include "records/outside.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "text/number.hpp"

namespace afford {
namespace {

constexpr std::string_view any_bound = "chips, --max-gpus, --ways ... bound it";

bool tries(const Space& space, Way way) {
  return std::find(space.ways.begin(), space.ways.end(), way) != space.ways.end();
}

std::string left_out(Way way) { return fmt::format("--ways leaves {} out", name_of(way)); }

std::string too_many(std::int64_t gpus, const Space& space) {
  return fmt::format("it takes {} accelerators or more, --max-gpus is {}", gpus, space.max_gpus);
}

/// The number behind a word, where there is nothing else.
std::optional<std::int64_t> number_behind(std::string_view word, std::string_view label) {
  if (!label.starts_with(word)) return std::nullopt;
  return parse_integer(label.substr(word.size()));
}

std::int64_t smallest_instance(const Space& space) {
  std::int64_t least = space.max_gpus;
  for (const HardwareSpec& chip : *space.chips)
    least = std::min(least, chip.server_accelerators.value);
  for (const std::int64_t size : space.instance_sizes) least = std::min(least, size);
  return least;
}

std::string outside_afd(const Space& space, std::int64_t instances) {
  if (!tries(space, Way::disaggregated)) return left_out(Way::disaggregated);
  const std::int64_t gpus = instances * smallest_instance(space);
  return gpus > space.max_gpus ? too_many(gpus, space) : std::string(any_bound);
}

std::string outside_ep(const study::FrontierCase& of, std::int64_t gpus) {
  const ModelSpec& model = of.prepared->model;
  const std::int64_t experts = most_experts(model);
  if (!tries(of.space, Way::expert_parallel)) return left_out(Way::expert_parallel);
  if (gpus > of.space.max_gpus) return too_many(gpus, of.space);
  if (gpus > experts)
    return fmt::format("{} has {} experts, fewer than {} accelerators", model.name, experts, gpus);
  return "EP is tried on 1, 2, 4 .. accelerators of a server and on whole servers";
}

std::string outside_tp(const study::FrontierCase& of, std::int64_t gpus) {
  if (!tries(of.space, Way::tensor_parallel)) return left_out(Way::tensor_parallel);
  if (gpus > of.space.max_gpus) return too_many(gpus, of.space);
  const std::string heads = undivided_heads(*of.setting.shapes, gpus);
  if (!heads.empty()) return fmt::format("{} do not divide into {}", heads, gpus);
  return "TP is tried on 2, 4 .. accelerators of a server; --ways mixed lays it over several";
}

}  // namespace

std::string outside_reason(const study::FrontierCase& of, std::string_view label) {
  if (const auto gpus = number_behind("EP", label)) return outside_ep(of, *gpus);
  if (const auto gpus = number_behind("TP", label)) return outside_tp(of, *gpus);
  const size_t a = label.find('A'), f = label.find('F');
  if (a != std::string_view::npos && f != std::string_view::npos && a < f) {
    const auto attention = parse_integer(label.substr(0, a));
    const auto ffn = parse_integer(label.substr(a + 1, f - a - 1));
    if (attention && ffn) return outside_afd(of.space, *attention + *ffn);
  }
  return std::string(any_bound) + (tries(of.space, Way::mixed)
                                       ? ""
                                       : "; other layouts than AFD, EP and TP need --ways mixed");
}

}  // namespace afford
