#include <doctest/doctest.h>

#include <cmath>

#include "calibration/pipeline_point.hpp"
#include "error.hpp"
#include "load/calibrations.hpp"
#include "load/library.hpp"
#include "study/pipelines.hpp"
#include "study/uneven_experts.hpp"
#include "text/file.hpp"

using namespace afford;

TEST_SUITE_BEGIN("unit");

namespace {

HardwareSpec calibrated_h100() {
  HardwareSpec chip = load_hardware({"h100"}).front();
  const auto file = data_folder() / "validation" / "h100.calibration.yaml";
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

TEST_CASE("pipelines on two and on four H100 are predicted as the README says") {
  const study::PipelineValidation validation = study::pipeline_validation("", "");
  size_t checked = 0;
  for (const study::PipelineGroup& group : validation.groups) {
    if (!group.model.empty() || group.gpus == 0) continue;
    ++checked;
    CHECK(group.left_out == (group.gpus == 2 ? 2 : 4));
    CHECK(group.layer.points >= 83);
    CHECK(group.layer.median < 0.015);
    CHECK(group.layer.p90 < 0.04);
    CHECK(group.worst < 0.1);
    CHECK(std::abs(group.layer.bias) < 0.01);
    CHECK(group.attention.median < 0.03);
    CHECK(group.ffn.median < 0.03);
  }
  CHECK(checked == 2);
}

TEST_CASE("what a pipeline yields: its requests in a step, over all its GPUs") {
  study::PipelineRow row{.point = step3(), .predicted = {}, .fidelity = ""};
  row.point.layout = "3a1f", row.point.layers = 61;
  const auto rate = row.rate(500 * microsecond);
  CHECK(rate.tpot / millisecond == doctest::Approx(30.5));
  CHECK(rate.tokens_per_second == doctest::Approx(3 * 64 * 3 / 4.0 / 30.5e-3));
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
  const Engine engine;
  const Machine machine(chip, engine);
  study::DrawnExperts drawn{.experts = 48, .share = 1.0 / 16, .tokens = 512};
  drawn.hidden = 7168, drawn.intermediate = 5120;
  const Seconds routed = study::drawn_experts_time(drawn, machine);
  drawn.shared = 1, drawn.shared_tokens = 512;
  const Seconds both = study::drawn_experts_time(drawn, machine);
  // Eight tiles of 64 tokens: 256 + 64 rows each, of 7168 values for gate and up (40 tiles of
  // weights), of 5120 for down (28).
  const double passed = 8 * (256 + 64) * (40 * 7168.0 + 28 * 5120.0) * (1 + 4.0 / 128);
  const double l2 = passed / (0.85 * chip.measured->l2);
  // The last round of tiles is another one than without it.
  CHECK((both - routed).base() == doctest::Approx(l2).epsilon(0.05));
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
  attach_calibrations({&chip}, "h200", true);
  CHECK_THROWS_WITH_AS((void)study::predict_pipeline(step3(), chip),
                       "h200 has no links: measure them with afford-calibrate links", UsageError);
}

TEST_CASE("a layout or a format that is none is named") {
  const HardwareSpec chip = calibrated_h100();
  PipelinePoint point = step3();
  point.layout = "1b1f";
  CHECK_THROWS_AS((void)study::predict_pipeline(point, chip), UsageError);
  point = step3(), point.cache = "int8";
  CHECK_THROWS_AS((void)study::predict_pipeline(point, chip), UsageError);
}

TEST_SUITE_END();
