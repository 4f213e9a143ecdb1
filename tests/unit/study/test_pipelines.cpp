#include <doctest/doctest.h>

#include <cmath>

#include "calibration/pipeline_point.hpp"
#include "error.hpp"
#include "load/calibrations.hpp"
#include "load/library.hpp"
#include "study/pipelines.hpp"
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

std::vector<PipelinePoint> measured() {
  const std::string file = (data_folder() / "validation" / "afd-h100.csv").string();
  return parse_pipelines(read_whole(file, size_t{1} << 20, "table of pipelines"), file);
}

PipelinePoint step3() {
  PipelinePoint point;
  point.model = "step-3", point.layout = "1a1f", point.cache = "bf16";
  point.shard = 8, point.requests = 64, point.context = 8192, point.micro_batches = 3;
  return point;
}

}  // namespace

TEST_CASE("pipelines on two H100 are predicted as the README says") {
  const study::PipelineCheck check = study::check_pipelines(measured(), calibrated_h100());
  CHECK(check.points == 77);
  CHECK(check.left_out == 1);
  CHECK(check.median_pct < 2.5);
  CHECK(check.p90_pct < 8);
  CHECK(check.worst_pct < 16);
  CHECK(std::abs(check.bias_pct) < 1);
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
