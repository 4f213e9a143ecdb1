#pragma once
// Names of the ways in which a decode pipeline lies over the GPUs of one server.

#include <optional>
#include <string_view>

namespace afford {

/// NaMf: attention on N GPUs, FFN on M others, experts spread over them; NaMf-tp: each expert cut
/// over the M; epN and tpN: attention and FFN in turn on the same N.
struct PipelineLayout {
  bool pooled = true;          // attention and FFN apart
  bool tensor = false;         // experts, and where not pooled attention's heads, are cut
  int attention = 1, ffn = 1;  // GPUs of either; the same ones where not pooled

  [[nodiscard]] int gpus() const { return pooled ? attention + ffn : ffn; }
};

/// What such a message says of the names that there are.
inline constexpr std::string_view pipeline_layout_names =
    "NaMf (attention on N GPUs, FFN on M others, experts spread over them), NaMf-tp (each expert "
    "cut), epN or tpN";

/// "2a1f", "2a2f-tp", "ep2", "tp2", each number from 1 to 9; nothing for other names.
[[nodiscard]] std::optional<PipelineLayout> parse_pipeline_layout(std::string_view name);

}  // namespace afford
