#pragma once
// One decode pipeline that afford-calibrate ran over the GPUs of a server: what it was, how long a
// layer of it took, and whether its answer was right. Plain data.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace afford {

/// Times are of one layer in the middle of a step, in microseconds: of all its micro-batches
/// (layer_us), or of one of them with a part of the pipeline running alone.
struct PipelinePoint {
  std::string date, chip, device, driver, cuda, commit;
  std::string model;          // a name in models/, or a path
  std::string layout;         // as afford-calibrate afd --layouts has it: 2a1f, 2a2f-tp, ep2, tp2
  std::string cache;          // bf16 or fp8
  std::int64_t shard = 1;     // of so many that each expert is cut into, FFN GPUs hold one
  std::int64_t requests = 0;  // of an attention GPU and micro-batch
  std::int64_t context = 0;   // tokens in the mean, the newest included
  std::string lengths;        // "1x131072+31x4096"; "": requests are equally long
  std::int64_t micro_batches = 1;
  std::int64_t layers = 0;  // of the whole model; 0: not said

  double layer_us = 0, attention_us = 0, core_us = 0, ffn_us = 0, experts_us = 0;
  double spread = 0;  // of the medians of repeated samples, over their median
  // Of the first FFN GPU: experts with tokens, tokens of the busiest, and copies of tokens.
  double active_experts = 0, busiest_tokens = 0, copies = 0;
  double power_w = 0, temperature_c = 0;  // of the GPU with most
  bool slowed = false, shared = false;    // by heat or power supply; with other processes
  // |pipeline - reference| / |reference|: what attention and FFN add to the residual, new cache
  // rows
  double attention_error = 0, ffn_error = 0, cache_error = 0;
  std::string rejected;  // why the point does not count; empty when it does
  int line = 0;          // of the file it was read from

  /// A step of the whole model without its LM head, if all layers were like this one.
  [[nodiscard]] double step_us() const { return layer_us * static_cast<double>(layers); }
};

/// Whether the longest request is beyond the mean as a core's curve counts it.
[[nodiscard]] bool has_uneven_lengths(const PipelinePoint& point);

[[nodiscard]] std::string pipelines_csv(const std::vector<PipelinePoint>& points);
/// Reads what pipelines_csv() writes. Throws InputError with line and column.
[[nodiscard]] std::vector<PipelinePoint> parse_pipelines(std::string_view text,
                                                         const std::string& file);

}  // namespace afford
