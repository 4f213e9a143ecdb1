#include "calibration/pipeline_layout.hpp"

namespace afford {
namespace {

constexpr bool is_count(char c) { return c >= '1' && c <= '9'; }

}  // namespace

std::optional<PipelineLayout> parse_pipeline_layout(std::string_view name) {
  if (name.size() == 3 && (name.starts_with("ep") || name.starts_with("tp")) && is_count(name[2])) {
    const int gpus = name[2] - '0';
    return PipelineLayout{
        .pooled = false, .tensor = name[0] == 't', .attention = gpus, .ffn = gpus};
  }
  constexpr std::string_view cut = "-tp";
  const bool tensor = name.ends_with(cut);
  if (tensor) name.remove_suffix(cut.size());
  if (name.size() != 4 || !is_count(name[0]) || name[1] != 'a' || !is_count(name[2]) ||
      name[3] != 'f')
    return std::nullopt;
  return PipelineLayout{.tensor = tensor, .attention = name[0] - '0', .ffn = name[2] - '0'};
}

}  // namespace afford
