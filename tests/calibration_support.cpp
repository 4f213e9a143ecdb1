#include "calibration_support.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <stdexcept>

#include "calibration/dense_work.hpp"
#include "calibration/operation_time.hpp"
#include "spec/operation_class.hpp"

namespace afford::test {
namespace {

constexpr double sms = 132;

OperationCurve made_up(OperationClass operation, OperandPrecision precision, double start_us,
                       double memory_top, double compute_top, bool rows) {
  OperationCurve curve{.operation = operation, .precision = precision};
  curve.start = start_us * microsecond;
  curve.follow = 0.7 * curve.start, curve.combine = 1.2 * microsecond,
  curve.piece = 0.4 * microsecond, curve.split = 0.06 * microsecond;
  curve.paged = 0.02, curve.uneven = 0.03;
  curve.overlap = 4;
  curve.idle_memory = 0.5, curve.idle_compute = 0.6, curve.fill = rows ? 100 : 0;
  curve.memory = {.first_octave = 13, .fraction = {}, .least = 8192, .most = 6.7e7};
  for (int i = 0; i < 15; ++i)
    curve.memory.fraction.push_back(memory_top * (1 - 0.5 * std::exp2(-0.7 * i)));
  curve.compute = {.first_octave = rows ? 3 : 13,
                   .fraction = {},
                   .least = rows ? 64.0 : 65536.0,
                   .most = rows ? 4096.0 : 6.7e7};
  for (int i = 0; i < (rows ? 10 : 15); ++i)
    curve.compute.fraction.push_back(compute_top * (1 - 0.3 * std::exp2(-0.7 * i)));
  curve.error = {.points = 40, .median = 0.01, .p90 = 0.03, .worst = 0.05};
  return curve;
}

struct Maker {
  const Calibration& truth;
  std::mt19937_64 bits;
  double noise = 0;  // standard deviation of a measurement's logarithm
  std::normal_distribution<> normal;
  std::vector<Point> points;

  void add(Point point, double seconds) {
    point.median_us = seconds * 1e6 * std::exp(noise * normal(bits));
    point.p25_us = 0.995 * point.median_us, point.p75_us = 1.005 * point.median_us;
    point.min_us = 0.99 * point.median_us, point.isolated_us = 1.05 * point.median_us;
    point.samples = 50, point.sm_clock_mhz = 1700, point.power_w = 600, point.temperature_c = 60;
    point.tolerance = 1e-2, point.error = 1e-3, point.kernel = "made up";
    points.push_back(std::move(point));
  }
  void add(Point point, const OperationCurve& curve, const std::vector<OperationWork>& work) {
    const TensorRoof& tensor = point.precision == "bf16" ? truth.bf16 : truth.fp8;
    double seconds = 0;
    for (const OperationWork& w : work)
      seconds += operation_seconds(curve, w, {truth.read.rate.base(), tensor.rate.base()});
    add(std::move(point), seconds);
  }
};

void add_roofs(Maker& make) {
  const Calibration& truth = make.truth;
  for (const double bytes : {1e6, 4e6, 16e6, 64e6, 256e6, 1e9, 4e9}) {
    for (const auto& [name, roof] :
         {std::pair{"read", &truth.read}, {"write", &truth.write}, {"copy", &truth.copy}})
      make.add({.operation = name, .bytes = bytes}, roof->start.base() + bytes / roof->rate.base());
  }
  for (const double bytes : {1e6, 4e6, 16e6})
    make.add({.operation = "l2_read", .bytes = bytes},
             truth.l2.start.base() + bytes / truth.l2.rate.base());
  for (const auto& [precision, roof] : {std::pair{"bf16", &truth.bf16}, {"fp8", &truth.fp8}})
    make.add(
        {.operation = "tensor", .precision = precision, .m = 64, .n = 256, .k = 64, .flops = 1e15},
        1e15 / roof->rate.base());
  make.add({.operation = "launch_stream"}, truth.launch.stream.base());
  make.add({.operation = "launch_graph"}, truth.launch.graph.base());
  make.add({.operation = "launch_dependent"}, truth.launch.dependent.base());
}

/// Heads and dims: MFA 64/1 256, GQA 64/4 128, MLA 128 and 16 heads of 576 and 512.
void add_attention(Maker& make, const OperationCurve& curve, std::int64_t heads,
                   std::int64_t kv_heads, double elements, double dims) {
  for (const std::int64_t batch : {1, 8, 64, 128, 512}) {
    for (const double context : {1024.0, 4096.0, 16384.0}) {
      const double element = curve.precision == OperandPrecision::bf16 ? 2 : 1;
      Point p{.operation = std::string(name_of(curve.operation)),
              .precision = std::string(name_of(curve.precision)),
              .batch = batch,
              .query_heads = heads,
              .kv_heads = kv_heads,
              .head_dim = 256,
              .context_tokens = context};
      const auto b = static_cast<double>(batch), h = static_cast<double>(heads);
      p.bytes = b * (context * elements * element + h * dims * 2);
      p.flops = 2 * b * context * h * dims;
      const double rows = h / static_cast<double>(kv_heads);
      const QueryTiles tiles = query_tiles(rows, 64);  // engines/afford.yaml
      p.padded_flops = p.flops * tiles.rows / rows;
      const double units = b * static_cast<double>(kv_heads) * tiles.count;
      DecodeCore core{.units = units,
                      .bytes = p.bytes,
                      .flops = p.padded_flops,
                      .context = context,
                      .outputs = p.flops / (4 * context * units)};
      p.longest_tokens = static_cast<std::int64_t>(context);
      make.add(p, curve, {work_of(core, sms)});
      if (batch != 64) continue;
      p.paged = core.paged = true;
      make.add(p, curve, {work_of(core, sms)});
      p.longest_tokens *= 2;
      core.uneven = true;
      make.add(p, curve, {work_of(core, sms)});
    }
  }
}

void add_experts(Maker& make, const OperationCurve& curve) {
  for (const std::int64_t experts : {8, 48, 128}) {
    for (const std::int64_t each : {1, 8, 32, 64, 128, 256, 1024}) {
      Point p{.operation = "moe_ffn",
              .precision = std::string(name_of(curve.precision)),
              .experts = experts,
              .tokens = experts * each,
              .busiest_tokens = each,
              .hidden = 7168,
              .intermediate = 2048};
      const double weights = static_cast<double>(experts) * 7168 * 2048,
                   rows = static_cast<double>(p.tokens);
      const double padded_rows =
          static_cast<double>(experts) * grouped_tiles(static_cast<double>(each), 1).rows;
      p.bytes = 3 * weights + 2 * rows * 7168;
      p.flops = 6 * rows * 7168 * 2048, p.padded_flops = 6 * padded_rows * 7168 * 2048;
      const auto e = static_cast<double>(experts), t = static_cast<double>(each);
      const GroupedGemm up{.bytes = 2 * weights + rows * 7168,
                           .flops = p.padded_flops * 2 / 3,
                           .tokens = t,
                           .tiles = e * grouped_tiles(t, 4096).tiles,
                           .k = 7168};
      const GroupedGemm down{.bytes = weights + rows * 7168,
                             .flops = p.padded_flops / 3,
                             .tokens = t,
                             .tiles = e * grouped_tiles(t, 7168).tiles,
                             .k = 2048,
                             .follows = true};
      make.add(p, curve, {work_of(up, sms), work_of(down, sms)});
    }
  }
}

/// Heads; dims: of a key and a value together.
void add_prompts(Maker& make, const OperationCurve& curve, std::int64_t heads, double dims) {
  for (const std::int64_t tokens : {256, 1000, 2048, 8192}) {
    for (const double prefix : {0.0, 4096.0, 32768.0}) {
      for (const std::int64_t share : {heads, heads / 8}) {
        Point p{.operation = std::string(name_of(curve.operation)),
                .precision = std::string(name_of(curve.precision)),
                .batch = 1,
                .query_heads = share,
                .kv_heads = 1,
                .head_dim = 128,
                .context_tokens = prefix + static_cast<double>(tokens)};
        p.longest_tokens = static_cast<std::int64_t>(p.context_tokens);
        p.tokens = tokens;
        const auto t = static_cast<double>(tokens), h = static_cast<double>(share);
        p.bytes = 2 * dims * (t * h + p.context_tokens);
        p.flops = p.padded_flops = 2 * dims * h * t * (prefix + (t + 1) / 2);
        make.add(p, curve,
                 {work_of(PrefillCore{.heads = h,
                                      .tokens = t,
                                      .prefix = prefix,
                                      .flops_a_pair = 2 * dims,
                                      .bytes = p.bytes},
                          sms)});
      }
    }
  }
}

void add_dense(Maker& make, const OperationCurve& curve) {
  for (const std::int64_t m : {16, 64, 128, 512, 2048, 8192}) {
    for (const auto& [n, k] :
         {std::pair<std::int64_t, std::int64_t>{7168, 2048}, {4096, 7168}, {24576, 1536}}) {
      Point p{.operation = "dense",
              .precision = std::string(name_of(curve.precision)),
              .m = m,
              .n = n,
              .k = k};
      const auto dm = static_cast<double>(m), dn = static_cast<double>(n),
                 dk = static_cast<double>(k);
      p.bytes =
          (dn * dk + dm * dk) * (curve.precision == OperandPrecision::bf16 ? 2 : 1) + 2 * dm * dn;
      p.flops = p.padded_flops = 2 * dm * dn * dk;
      make.add(p, curve, {work_of(DenseGemm{.bytes = p.bytes, .m = dm, .n = dn, .k = dk}, sms)});
    }
  }
}

}  // namespace

Calibration known_calibration() {
  Calibration c;
  c.provenance = {.chip = "h200",
                  .engine = "afford",
                  .architecture = "hopper",
                  .device = "NVIDIA H200",
                  .multiprocessors = 132,
                  .driver = "580.1",
                  .cuda = "13.0",
                  .power_cap_w = 700,
                  .sm_clock_mhz = 1980,
                  .memory_clock_mhz = 3201,
                  .date = "2026-11-24",
                  .commit = "0123abc",
                  .command = "afford-calibrate run",
                  .partial = false};
  const FitError error{.points = 7, .median = 0.002, .p90 = 0.005, .worst = 0.01};
  c.read = {6.5 * microsecond, 4.7 * TB_per_s, error},
  c.write = {5.0 * microsecond, 4.4 * TB_per_s, error};
  c.copy = {6.0 * microsecond, 4.2 * TB_per_s, error},
  c.l2 = {2.5 * microsecond, 7.0 * TB_per_s, error};
  c.bf16 = {780 * TFLOP_per_s, 1500}, c.fp8 = {1440 * TFLOP_per_s, 1450};
  c.launch = {4.0 * microsecond, 1.5 * microsecond, 0.8 * microsecond};
  c.curves = {made_up(OperationClass::mla_decode, OperandPrecision::bf16, 6, 0.96, 0.84, false),
              made_up(OperationClass::mfa_decode, OperandPrecision::bf16, 5, 0.99, 0.84, false),
              made_up(OperationClass::mfa_decode, OperandPrecision::fp8, 5, 0.97, 0.8, false),
              made_up(OperationClass::gqa_decode, OperandPrecision::bf16, 4.5, 0.98, 0.84, false),
              made_up(OperationClass::grouped_gemm, OperandPrecision::bf16, 4, 0.95, 0.85, true),
              made_up(OperationClass::grouped_gemm, OperandPrecision::fp8_128, 4, 0.94, 0.8, true),
              made_up(OperationClass::dense, OperandPrecision::bf16, 3, 0.92, 0.95, true),
              made_up(OperationClass::dense, OperandPrecision::fp8, 3, 0.9, 0.92, true),
              made_up(OperationClass::mla_prefill, OperandPrecision::bf16, 4, 0.9, 0.75, true),
              made_up(OperationClass::mfa_prefill, OperandPrecision::bf16, 4, 0.9, 0.85, true),
              made_up(OperationClass::gqa_prefill, OperandPrecision::bf16, 4, 0.9, 0.72, true)};
  return c;
}

Engine measured_kernels() { return {.name = "afford", .attention_tile = 64}; }

MeasuredChip measured_on(const HardwareSpec& chip, const Calibration& calibration) {
  return {.calibration = std::make_shared<const Calibration>(calibration),
          .chip = chip,
          .kernels = std::make_shared<const Engine>(measured_kernels())};
}

std::vector<Point> points_of(const Calibration& truth, double noise, std::uint64_t seed) {
  Maker make{.truth = truth,
             .bits = std::mt19937_64(seed),
             .noise = noise,
             .normal = std::normal_distribution<>(0, 1),
             .points = {}};
  add_roofs(make);
  for (const OperationCurve& curve : truth.curves) {
    switch (curve.operation) {
      case OperationClass::mfa_decode:
        add_attention(make, curve, 64, 1, 512, 512);
        break;
      case OperationClass::gqa_decode:
        add_attention(make, curve, 64, 4, 1024, 256);
        break;
      case OperationClass::mla_decode:
        add_attention(make, curve, 128, 1, 576, 1088);
        add_attention(make, curve, 16, 1, 576, 1088);
        break;
      case OperationClass::grouped_gemm:
        add_experts(make, curve);
        break;
      case OperationClass::dense:
        add_dense(make, curve);
        break;
      case OperationClass::mla_prefill:
        add_prompts(make, curve, 128, 320);
        break;
      case OperationClass::mfa_prefill:
        add_prompts(make, curve, 64, 512);
        break;
      case OperationClass::gqa_prefill:
        add_prompts(make, curve, 64, 256);
        break;
      case OperationClass::none:
        break;
    }
  }
  return make.points;
}

const OperationCurve& curve_of(const Calibration& calibration, OperationClass operation,
                               OperandPrecision precision) {
  for (const OperationCurve& curve : calibration.curves) {
    if (curve.operation == operation && curve.precision == precision) return curve;
  }
  throw std::runtime_error("no such curve");
}

}  // namespace afford::test
