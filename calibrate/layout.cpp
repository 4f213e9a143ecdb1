#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "calibration/pipeline_layout.hpp"
#include "error.hpp"
#include "pipeline.hpp"

namespace afford::calibrate {
namespace {

std::vector<int> gpus_from(int first, int count) {
  std::vector<int> gpus(static_cast<size_t>(count));
  std::iota(gpus.begin(), gpus.end(), first);
  return gpus;
}

}  // namespace

int Layout::gpus() const { return 1 + std::max(attention.back(), ffn.back()); }

Layout parse_layout(const std::string& name) {
  const std::optional<PipelineLayout> read = parse_pipeline_layout(name);
  if (!read || std::max(read->attention, read->ffn) > most_targets) {
    throw UsageError(
        fmt::format("--layouts: '{}' is none; expected {}", name, pipeline_layout_names));
  }
  return {.name = name,
          .attention = gpus_from(0, read->attention),
          .ffn = gpus_from(read->pooled ? read->attention : 0, read->ffn),
          .tensor = read->tensor};
}

}  // namespace afford::calibrate
