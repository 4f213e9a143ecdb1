#include "calibration/curve_sample.hpp"

#include <algorithm>
#include <cmath>

#include "calibration/dense_work.hpp"
#include "calibration/roof_fit.hpp"

namespace afford {
namespace {

/// Gate-up and down of a point of experts. Whatever is not weights is shared evenly.
std::array<OperationWork, 2> expert_products(const Point& p, double sms) {
  const auto hidden = static_cast<double>(p.hidden), width = static_cast<double>(p.intermediate);
  const auto experts = static_cast<double>(p.experts);
  const double element = p.precision == name_of(OperandPrecision::bf16) ? 2 : 1;
  const double tokens = static_cast<double>(p.tokens) / experts;
  const double weights = experts * hidden * width * element;
  const bool up = p.operation != "moe_down", down = p.operation != "moe_gate_up";
  const double matrices = (up ? 2.0 : 0.0) + (down ? 1.0 : 0.0);
  const double products = (up ? 1.0 : 0.0) + (down ? 1.0 : 0.0);
  const double other = (p.bytes - matrices * weights) / products;
  const GroupedGemm gate_up{.bytes = 2 * weights + other,
                            .flops = p.padded_flops * 2 / matrices,
                            .tokens = grouped_tiles(tokens, 2 * width).rows,
                            .tiles = experts * grouped_tiles(tokens, 2 * width).tiles,
                            .k = hidden};
  const GroupedGemm rest{.bytes = weights + other,
                         .flops = p.padded_flops / matrices,
                         .tokens = grouped_tiles(tokens, hidden).rows,
                         .tiles = experts * grouped_tiles(tokens, hidden).tiles,
                         .k = width,
                         .follows = up};
  if (!up) return {work_of(rest, sms), work_of(gate_up, sms)};
  return {work_of(gate_up, sms), work_of(rest, sms)};
}

DecodeCore decode_core(const Point& p, const Engine& engine) {
  const auto kv_heads = static_cast<double>(std::max<std::int64_t>(1, p.kv_heads));
  const double rows = static_cast<double>(p.query_heads) / kv_heads;
  const QueryTiles tiles = query_tiles(rows, engine.attention_tile);
  const double units = static_cast<double>(p.batch) * kv_heads * tiles.count;
  return {.units = units,
          .bytes = p.bytes,
          .flops = p.flops * tiles.rows / rows,
          .context = p.context_tokens,
          .outputs = p.flops / (4 * p.context_tokens * units),
          .paged = p.paged,
          .uneven = uneven_lengths(static_cast<double>(p.longest_tokens), p.context_tokens)};
}

DenseGemm dense_gemm(const Point& p) {
  return {.bytes = p.bytes,
          .m = static_cast<double>(p.m),
          .n = static_cast<double>(p.n),
          .k = static_cast<double>(p.k),
          .block_scaled = p.precision == name_of(OperandPrecision::fp8_128)};
}

PrefillCore prefill_core(const Point& p) {
  const auto tokens = static_cast<double>(p.tokens);
  const double heads = static_cast<double>(p.batch * p.query_heads),
               prefix = p.context_tokens - tokens;
  const double pairs = tokens * (prefix + (tokens + 1) / 2);
  return {.heads = heads,
          .tokens = tokens,
          .prefix = prefix,
          .flops_a_pair = p.flops / (heads * pairs),
          .bytes = p.bytes};
}

/// `p` feeds a class.
CurveSample sample_of(const Point& p, const MeasuredWith& in) {
  CurveSample sample{.work = {}, .seconds = p.median_us * 1e-6, .card = p.card};
  switch (row_of(class_fed_by(p.operation)).work) {
    case WorkKind::decode_core:
      sample.work[0] = work_of(decode_core(p, in.engine), in.sms);
      break;
    case WorkKind::grouped_gemm:
      sample.work = expert_products(p, in.sms);
      sample.products = p.operation == "moe_ffn" ? 2 : 1;
      break;
    case WorkKind::dense_gemm:
      sample.work[0] = work_of(dense_gemm(p), in.sms);
      break;
    case WorkKind::prefill_core:
      sample.work[0] = work_of(prefill_core(p), in.sms);
      sample.one_compute_fraction = true;
      break;
  }
  return sample;
}

}  // namespace

std::vector<CurveSample> samples_of(const std::vector<Point>& points, const OperationClassRow& row,
                                    OperandPrecision precision, const MeasuredWith& in) {
  std::vector<CurveSample> samples;
  for (const Point& point : points) {
    if (accepted(point) && class_fed_by(point.operation) == row.operation &&
        point.precision == name_of(precision))
      samples.push_back(sample_of(point, in));
  }
  return samples;
}

}  // namespace afford
