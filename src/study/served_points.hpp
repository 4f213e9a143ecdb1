#pragma once
// Served points: how long an output token took on a server that somebody measured, and what ran
// there. One row a point, as published collections of such measurements have it.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace afford::study {

/// One measured point. Parallelism and formats stand as their publisher states them;
/// served_setup.hpp says what they mean.
struct ServedPoint {
  std::string id;  // the line of the file where it has none
  std::string engine, engine_version, model, chip;
  /// `mixed`: one server works on prompts and tokens, so the time of a token holds the
  /// interruptions by prompts. `decode_only`: the decode servers of a disaggregated system.
  std::string mode;
  double isl = 0, osl = 0;  // prompt and output tokens of each request
  std::string linear_format, expert_format;
  double concurrency_or_batch = 0;  // of one attention replica
  std::int64_t workers = 1;
  std::int64_t tp = 1;  // ways the attention is sharded
  std::optional<double> attention_dp;
  std::int64_t moe_tp = 0, moe_ep = 0;  // ways an expert is sharded, groups; 0: not stated
  std::optional<double> ttft_ms;
  double tpot_ms = 0;
  std::optional<double> aiconfigurator_tpot_ms;  // that tool's prediction of the same point
  std::string source, date;

  [[nodiscard]] bool mixed() const { return mode == "mixed"; }
};

/// The points of a CSV file; `file` is for messages. Columns may stand in any order; id, versions,
/// formats, experts' parallelism, TTFT, source and date may be missing. Throws InputError with the
/// place.
[[nodiscard]] std::vector<ServedPoint> parse_served_points(std::string_view text,
                                                           const std::string& file);
[[nodiscard]] std::vector<ServedPoint> read_served_points(const std::string& path);

}  // namespace afford::study
