#pragma once
// One measurement of one operation on one GPU, as afford-calibrate records it: what ran, how long
// it took, under which conditions, and whether the answer was right. Plain data; the CSV beside a
// calibration has one row a point.

#include <cstdint>
#include <string>
#include <vector>

namespace afford {

/// Names of the operations a calibration knows. A point's shape fields that do not apply are zero.
/// mfa_decode, gqa_decode, mla_decode: batch, context_tokens (mean), longest_tokens, query_heads,
/// kv_heads, head_dim. mfa_prefill, gqa_prefill, mla_prefill: the same (head_dim of the keys) and
/// tokens, the new ones of each sequence, which context_tokens holds too. moe_ffn, moe_gate_up,
/// moe_down: experts, tokens, busiest_tokens, hidden, intermediate (as sharded). dense: m, n, k
/// (y[m x n] = x[m x k] W). read, read_parts (each block a contiguous part), write, copy, l2_read:
/// bytes. tensor: m, n, k of a loop without memory. launch_stream, launch_graph, launch_dependent:
/// time of one empty kernel.
struct Point {
  std::string operation;
  std::string precision;  // bf16 or fp8: of the streamed operand and the tensor core; fp8_128 with
                          // block scales; fp8_cache: FP8 values widened to BF16
  std::string tag;        // the model or the reason for this shape: "step-3", "odd lengths"
  std::int64_t batch = 0, query_heads = 0, kv_heads = 0, head_dim = 0;
  double context_tokens = 0;
  std::int64_t longest_tokens = 0;
  bool paged = false;
  std::int64_t experts = 0;                     // that have tokens
  std::int64_t tokens = 0, busiest_tokens = 0;  // routed copies in all, of the busiest expert; new
  std::int64_t hidden = 0, intermediate = 0;
  std::int64_t m = 0, n = 0, k = 0;

  double bytes = 0;         // fewest bytes through device memory
  double flops = 0;         // useful
  double padded_flops = 0;  // executed by the tensor cores

  // Cold stream, sustained: what a decode step sees. Isolated: one call on an idle, cold device.
  double median_us = 0, p25_us = 0, p75_us = 0, min_us = 0, isolated_us = 0;
  std::int64_t samples = 0;
  double sm_clock_mhz = 0, power_w = 0, temperature_c = 0;
  double error = 0, tolerance = 0;  // |out - reference| / |reference|, and the largest accepted
  std::string kernel;               // ours by name and tile, or "cublaslt"
  std::string rejected;             // the validity gate it failed; empty: the point counts
  std::int64_t card = 1;            // which of the cards of a table, counted from 1
};

}  // namespace afford
