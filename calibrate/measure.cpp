#include "measure.hpp"

#include <cmath>

#include "dense_tuning.hpp"
#include "gates.hpp"
#include "roofs.hpp"
#include "timing.hpp"
#include "works.hpp"

namespace afford::calibrate {
namespace {

constexpr double warm_up_share = 0.3;  // of the time of the samples, before them
constexpr double tensor_times = 4;     // longer: their clock settles slowly
constexpr int isolated_samples = 10;
constexpr double setup_seconds = 0.12,
                 tuning_seconds = 0.25;  // allocation, filling and checking; cuBLASLt

bool is_launch(const Point& point) { return point.operation.starts_with("launch_"); }
bool is_sustained(const Point& point) { return point.operation == "tensor"; }
bool has_isolated(const Point& point) {
  return !is_launch(point) && !is_sustained(point) && point.operation != "l2_read";
}

void describe(Point& point, const Work& work) {
  point.bytes = work.bytes;
  point.flops = work.flops;
  point.padded_flops = work.padded_flops;
  point.tolerance = work.tolerance;
  point.kernel = work.kernel;
}

/// The relative error, 1 (nothing right) standing for outputs that are not finite or not written.
void check_answer(Point& point, Work& work) {
  const double error = work.error();
  point.error = std::isfinite(error) ? error : 1;
  if (!std::isfinite(error)) point.rejected = "outputs not finite or not written";
}

void time(Point& point, Work& work, const Session& session, const Pace& pace, double roof) {
  const Effort effort{.seconds = is_sustained(point) ? tensor_times * pace.seconds : pace.seconds,
                      .warm_up = warm_up_share * pace.seconds,
                      .windows = pace.windows};
  if (has_isolated(point))
    point.isolated_us = measure_isolated(work, {.samples = isolated_samples}).median_us;
  Watch watch(session.nvml.get());
  const Timing timing = point.operation == "launch_stream" ? measure_submitted(work, effort)
                                                           : measure_stream(work, effort);
  const DeviceState state = watch.stop();
  point.median_us = timing.median_us;
  point.p25_us = timing.p25_us;
  point.p75_us = timing.p75_us;
  point.min_us = timing.min_us;
  point.samples = timing.samples;
  point.sm_clock_mhz = timing.sm_clock_mhz;
  point.power_w = state.power_w;
  point.temperature_c = state.temperature_c;
  point.rejected =
      failed_gate(point, {.drift = timing.drift, .slowed_down = state.slowed_down}, roof);
}

/// Runs `step` on the case's kernel; a failure becomes the point's reason, unless the GPU is gone.
template <class Step>
Point attempt(const Case& one, const Session& session, Step step) {
  Point point = one.point;
  try {
    const std::unique_ptr<Work> work = make_work(one, session.lt.get());
    if (auto* dense = dynamic_cast<Dense*>(work.get())) (void)tune(*dense);
    describe(point, *work);
    check_answer(point, *work);
    if (point.rejected.empty() && !(point.error <= point.tolerance))
      point.rejected = failed_gate(point, {}, 0);
    if (point.rejected.empty()) step(point, *work);
  } catch (const std::runtime_error& error) {
    if (!gpu_answers()) throw;
    point.rejected = error.what();
  }
  return point;
}

}  // namespace

Point measure(const Case& one, const Session& session, const Pace& pace, double roof) {
  return attempt(one, session,
                 [&](Point& point, Work& work) { time(point, work, session, pace, roof); });
}

Point verify(const Case& one, const Session& session) {
  return attempt(one, session, [](Point&, Work&) {});
}

double expected_seconds(const Case& one, double seconds) {
  const Point& point = one.point;
  const double samples = is_sustained(point) ? tensor_times * seconds : seconds;
  return setup_seconds + samples + warm_up_share * seconds +
         (point.operation == "dense" ? tuning_seconds : 0);
}

void heat_up(double most) {
  constexpr double step = 2, steady = 0.003;
  const std::unique_ptr<Work> work = make_tensor(Precision::bf16);
  double before = 0;
  for (double seconds = 0; seconds < most; seconds += step) {
    const double now = measure_stream(*work, {.seconds = step, .warm_up = 0}).median_us;
    if (std::fabs(now / before - 1) < steady) return;  // never after the first step
    before = now;
  }
}

}  // namespace afford::calibrate
