#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "calibration/pipeline_point.hpp"
#include "calibration_support.hpp"
#include "deploy/direct.hpp"
#include "error.hpp"
#include "layer/drawn_experts.hpp"
#include "load/calibrations.hpp"
#include "load/library.hpp"
#include "study/pipeline_timeline.hpp"
#include "text/file.hpp"

using namespace afford;

TEST_SUITE_BEGIN("unit");

namespace {

HardwareSpec calibrated_h100() {
  HardwareSpec chip = load_hardware({"h100"}).front();
  const auto file = data_folder() / "hardware" / "h100.calibration.yaml";
  attach_calibrations({&chip}, file.string(), true);
  return chip;
}

PipelinePoint step3() {
  PipelinePoint point;
  point.model = "step-3", point.layout = "1a1f", point.cache = "bf16";
  point.shard = 8, point.requests = 64, point.context = 8192, point.micro_batches = 3;
  return point;
}

}  // namespace

TEST_CASE("pipelines on H100 and H200 are predicted as the README says, those measured after too") {
  const study::PipelineValidation validation = study::pipeline_validation("", "");
  struct Expected {
    std::string chip, known;
    std::int64_t gpus;
    size_t points, left_out;
    double median, p90, worst;
  };
  const std::vector<Expected> expected = {{"h100", "after", 2, 54, 0, 0.014, 0.040, 0.074},
                                          {"h100", "after", 4, 29, 0, 0.014, 0.038, 0.047},
                                          {"h100", "cards", 2, 53, 0, 0.020, 0.037, 0.074},
                                          {"h100", "clean", 2, 89, 0, 0.018, 0.046, 0.090},
                                          {"h100", "newer", 2, 42, 0, 0.023, 0.061, 0.073},
                                          {"h100", "seen", 2, 86, 2, 0.011, 0.029, 0.068},
                                          {"h100", "seen", 4, 103, 4, 0.014, 0.040, 0.076},
                                          {"h100", "settled", 2, 42, 0, 0.016, 0.039, 0.068},
                                          {"h100", "unequal", 2, 13, 0, 0.025, 0.046, 0.056},
                                          {"h200", "after", 2, 20, 1, 0.012, 0.043, 0.054},
                                          {"h200", "unequal", 2, 13, 0, 0.020, 0.070, 0.104}};
  std::vector<study::PipelineGroup> groups;
  for (const study::PipelineGroup& group : validation.groups)
    if (group.model.empty() && group.gpus != 0) groups.push_back(group);
  REQUIRE(groups.size() == expected.size());
  for (size_t i = 0; i < groups.size(); ++i) {
    const study::PipelineGroup& group = groups[i];
    const Expected& wanted = expected[i];
    CAPTURE(group.chip);
    CAPTURE(group.known);
    CAPTURE(group.gpus);
    CHECK(group.chip == wanted.chip);
    CHECK(group.known == wanted.known);
    CHECK(group.gpus == wanted.gpus);
    CHECK(group.layer.points == wanted.points);
    CHECK(group.left_out == wanted.left_out);
    CHECK(group.layer.median < wanted.median);
    CHECK(group.layer.p90 < wanted.p90);
    CHECK(group.worst < wanted.worst);
    CHECK(group.attention.median < (wanted.known == "unequal" ? 0.055 : 0.032));
    CHECK(group.ffn.median < 0.03);
  }
}

TEST_CASE("a deployment under the engine afford takes what its pipeline is predicted to take") {
  const HardwareSpec chip = calibrated_h100();
  ModelSpec model = load_model("qwen3-moe");
  model.precision.kv = model.precision.attention_compute = Dtype::bf16;
  const std::vector<LayerShape> shapes = layer_shapes(model);
  const Setting setting{
      .model = &model, .shapes = &shapes, .context = 8192, .engine = load_engine("afford")};
  PipelinePoint point = step3();
  point.model = "qwen3-moe", point.shard = 1;

  point.layout = "3a1f";
  const Disaggregated pools{
      .attention = {&chip, 3, 1}, .ffn = {&chip, 1, 1}, .batch = 3 * 64 * 3, .micro_batches = 3};
  const StageTimes pooled = evaluate(pools, setting).runs[0].stages;
  const auto predicted = study::predict_pipeline(point, chip);
  CHECK(pooled.attention == predicted.attention);
  CHECK(std::max(pooled.sum(), 3 * pooled.longest()) == predicted.layer);
  const StageOps ops = stage_ops(pools, setting, 0);
  CHECK(ops.attention.time() == pooled.attention);
  CHECK(ops.ffn.time() == pooled.ffn);

  point.layout = "ep4", point.micro_batches = 1;
  const Colocated together{.pool = {&chip, 1, 4}, .batch = 4 * 64, .layout = expert_parallel(4)};
  const StageTimes all = evaluate(together, setting).runs[0].stages;
  CHECK(all.sum() / study::predict_pipeline(point, chip).layer == doctest::Approx(1));
  CHECK(stage_ops(together, setting, 0).ffn.time() == all.ffn);
}

TEST_CASE("other deployments than those of a direct runtime are taken as of any engine") {
  const HardwareSpec chip = calibrated_h100();
  const ModelSpec model = load_model("qwen3-moe");
  const std::vector<LayerShape> shapes = layer_shapes(model);
  Setting setting{
      .model = &model, .shapes = &shapes, .context = 8192, .engine = load_engine("afford")};
  const Disaggregated pools{
      .attention = {&chip, 2, 1}, .ffn = {&chip, 2, 1}, .batch = 256, .micro_batches = 2};
  CHECK(direct_layout(pools, setting, shapes[0])->ffn == 2);
  Disaggregated cut = pools, beyond = pools, both_ways = pools;
  cut.boundary = Boundary::core;
  CHECK_FALSE(direct_layout(cut, setting, shapes[0]));
  beyond.attention.instances = 7;
  CHECK_FALSE(direct_layout(beyond, setting, shapes[0]));
  both_ways.ffn.instances = 4, both_ways.ffn_split = {2, 2};
  CHECK_FALSE(direct_layout(both_ways, setting, shapes[0]));
  setting.engine = load_engine("ideal");
  CHECK_FALSE(direct_layout(pools, setting, shapes[0]));
}

TEST_CASE("of several GPUs that draw experts the busiest takes longer than the mean, of one not") {
  const HardwareSpec chip = calibrated_h100();
  const Machine machine(chip, *chip.measured->kernels);
  DrawnExperts drawn{.experts = 12, .share = 1.0 / 16, .tokens = 4096};
  drawn.hidden = 7168, drawn.intermediate = 5120;
  const DrawnTime one = drawn_experts_time(drawn, machine);
  CHECK(one.slowest == one.mean);
  drawn.gpus = 4;
  const DrawnTime four = drawn_experts_time(drawn, machine);
  CHECK(four.mean / one.mean == doctest::Approx(1).epsilon(0.02));
  CHECK(four.slowest > 1.02 * four.mean);
  CHECK(drawn_experts_time(drawn, machine).slowest == four.slowest);  // the same draw
}

TEST_CASE("what a pipeline yields: its requests in a step, over all its GPUs") {
  PipelinePoint point = step3();
  point.layout = "3a1f", point.layers = 61;
  const auto rate = study::pipeline_rate(point, 500 * microsecond);
  CHECK(rate.tpot / millisecond == doctest::Approx(30.5));
  CHECK(rate.tokens_per_second == doctest::Approx(3 * 64 * 3 / 4.0 / 30.5e-3));
}

TEST_CASE("a predicted timeline settles at the predicted time of a layer") {
  const HardwareSpec chip = calibrated_h100();
  for (const char* layout : {"1a1f", "2a2f", "3a1f", "ep2", "tp2"}) {
    for (const int micro_batches : {1, 2, 3, 4}) {
      CAPTURE(layout);
      CAPTURE(micro_batches);
      PipelinePoint point = step3();
      point.layout = layout, point.micro_batches = micro_batches;
      const auto predicted = study::predict_pipeline(point, chip);
      constexpr int layers = 30;
      const auto spans = study::predicted_timeline(point, predicted, layers);
      const std::int64_t attention = study::attention_gpus_of(point),
                         ffn = point.layout.find('f') != std::string::npos
                                   ? study::gpus_of(point) - attention
                                   : study::gpus_of(point);
      REQUIRE(spans.size() == static_cast<size_t>(layers * micro_batches * (attention + ffn)));
      double third_last = 0, last = 0;
      std::map<int, double> free;  // a GPU does one thing at a time
      for (const study::StageSpan& span : spans) {
        CHECK(span.start_us >= free[span.gpu] - 1e-9);
        free[span.gpu] = span.end_us;
        if (span.micro_batch != 0 || span.stage != "attention") continue;
        if (span.layer == layers - 3) third_last = span.start_us;
        if (span.layer == layers - 1) last = span.start_us;
      }
      CHECK((last - third_last) / 2 ==
            doctest::Approx(predicted.layer / microsecond).epsilon(1e-9));
    }
  }
}

TEST_CASE("a trace has what was measured and what was predicted, each GPU a row") {
  const std::vector<study::StageSpan> spans{{0, "attention", 0, 0, 0, 10.5},
                                            {1, "FFN", 0, 0, 11, 20}};
  const auto trace = nlohmann::json::parse(study::timelines_trace(spans, {spans[0]}));
  std::vector<std::string> processes, rows;
  for (const auto& event : trace["traceEvents"]) {
    if (event["name"] == "process_name") processes.push_back(event["args"]["name"]);
    if (event["name"] == "thread_name") rows.push_back(event["args"]["name"]);
    if (event["name"] == "mb0 layer 0 FFN") {
      CHECK(event["pid"] == 0);
      CHECK(event["tid"] == 1);
      CHECK(event["ts"] == 11);
      CHECK(event["dur"] == 9);
    }
  }
  CHECK(processes == std::vector<std::string>{"measured", "predicted"});
  CHECK(rows == std::vector<std::string>{"GPU 0, attention", "GPU 1, FFN", "GPU 0, attention"});
  CHECK(study::timelines_trace(spans, {}).find("predicted") == std::string::npos);
}

TEST_CASE("experts cut over a pool cost what they cost cut over a server") {
  const HardwareSpec chip = calibrated_h100();
  PipelinePoint cut = step3(), sharded = step3();
  cut.layout = "1a2f-tp", cut.shard = 4;
  sharded.layout = "1a1f", sharded.shard = 8;
  const auto a = study::predict_pipeline(cut, chip), b = study::predict_pipeline(sharded, chip);
  CHECK(a.ffn == b.ffn);
  CHECK(a.attention > b.attention);  // it sends to two, and adds two results up
}

TEST_CASE("a shared expert that takes many tokens costs what L2 passes on for each of its tiles") {
  const HardwareSpec chip = calibrated_h100();
  const Machine machine(chip, *chip.measured->kernels);
  DrawnExperts drawn{.experts = 48, .share = 1.0 / 16, .tokens = 512};
  drawn.hidden = 7168, drawn.intermediate = 5120;
  const Seconds routed = drawn_experts_time(drawn, machine).mean;
  drawn.shared = 1, drawn.shared_tokens = 512;
  const Seconds both = drawn_experts_time(drawn, machine).mean;
  // Eight tiles of 64 tokens: 256 + 64 rows each, of 7168 values for gate and up (40 tiles of
  // weights), of 5120 for down (28).
  const double passed = 8 * (256 + 64) * (40 * 7168.0 + 28 * 5120.0) * (1 + 4.0 / 128);
  const double l2 = passed / (0.85 * chip.measured->l2);
  // The tensor cores work at the same time, but not for nothing.
  CHECK((both - routed).base() > l2);
  CHECK((both - routed).base() < 1.2 * l2);
}

TEST_CASE("a matrix of fewer tiles than SMs is cut along K, and read at the rate of a whole one") {
  const HardwareSpec chip = calibrated_h100();
  const Machine machine(chip, *chip.measured->kernels);
  DrawnExperts dense{.shared = 1, .shared_tokens = 32, .weights = Dtype::bf16};
  dense.hidden = 8192, dense.intermediate = 28672;  // down: 32 tiles of 256 rows
  const double read = 3 * 8192.0 * 28672 * 2 / chip.measured->read;
  const double time = drawn_experts_time(dense, machine).mean.base();
  CHECK(time > read);
  CHECK(time < 1.2 * read);  // 32 of 132 SMs would take four times as long for its third
}

TEST_CASE("two micro-batches hide the shorter stage, one hides none") {
  const HardwareSpec chip = calibrated_h100();
  PipelinePoint one = step3(), three = step3();
  one.micro_batches = 1;
  const auto alone = study::predict_pipeline(one, chip),
             hidden = study::predict_pipeline(three, chip);
  CHECK(alone.layer > alone.attention + alone.ffn);
  CHECK(hidden.layer == 3 * std::max(hidden.attention, hidden.ffn));
}

TEST_CASE("pools of which a layer needs links say so without them") {
  HardwareSpec chip = load_hardware({"h200"}).front();
  chip.measured = chip_timing(test::measured_on(chip), chip);
  CHECK_THROWS_WITH_AS(
      (void)study::predict_pipeline(step3(), chip),
      "h200 has no links, or no curve of experts: measure them with afford-calibrate", UsageError);
}

TEST_CASE("a layout or a format that is none is named") {
  const HardwareSpec chip = calibrated_h100();
  PipelinePoint point = step3();
  point.layout = "1b1f";
  CHECK_THROWS_AS((void)study::predict_pipeline(point, chip), UsageError);
  point = step3(), point.cache = "int8";
  CHECK_THROWS_AS((void)study::predict_pipeline(point, chip), UsageError);
  point = step3(), point.layout = "8a1f";
  CHECK_THROWS_WITH_AS((void)study::predict_pipeline(point, chip),
                       "layout: 8a1f takes 9 GPUs, and h100 joins 8", UsageError);
  point = step3(), point.layers = 62;
  CHECK_THROWS_WITH_AS((void)study::predict_pipeline(point, chip), "layers: step-3 has 61, not 62",
                       UsageError);
}

TEST_SUITE_END();
