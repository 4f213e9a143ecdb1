#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>

#include "cases.hpp"
#include "commands.hpp"
#include "error.hpp"
#include "gates.hpp"
#include "interrupt.hpp"
#include "lines.hpp"
#include "measure.hpp"
#include "outputs.hpp"
#include "session.hpp"
#include "watchdog.hpp"
#include "works.hpp"

namespace afford::calibrate {
namespace {

constexpr double bytes_needed = 40e9;  // the largest case: 48 experts of Step-3 in BF16, twice
// A third window counts no more than a second: it only has another chance to look steady.
constexpr Pace full{.seconds = 0.2, .windows = 2}, quick{.seconds = 0.1, .windows = 2};
constexpr double full_heat = 24, quick_heat = 4;  // seconds at most
constexpr size_t quick_cases = 6;                 // of each operation and precision
constexpr std::chrono::seconds longest_case{60};

std::string command_of(const RunOptions& options) {
  std::string command = "afford-calibrate run";
  if (options.quick) command += " --quick";
  if (!options.only.empty()) command += fmt::format(" --only {}", fmt::join(options.only, ","));
  if (options.seconds > 0) command += fmt::format(" --seconds-per-point {}", options.seconds);
  return command;
}

std::vector<Case> chosen_cases(const RunOptions& options, const CublasLt* lt) {
  std::vector<Case> cases = only(calibration_cases(), options.only);
  std::erase_if(cases, [&](const Case& one) { return !can_run(one, lt); });
  return options.quick ? thin(cases, quick_cases) : cases;
}

/// The points of a run, from the first case to the files.
class Run {
 public:
  Run(const RunOptions& options, const Session& session)
      : session_(session),
        pace_(options.quick ? quick : full),
        heat_(options.quick ? quick_heat : full_heat),
        cases_(chosen_cases(options, session.lt.get())),
        provenance_(provenance_of(session, command_of(options))),
        paths_(output_paths(options.output, provenance_.chip)) {
    provenance_.partial = !options.only.empty() || session.lt == nullptr;
    if (options.seconds > 0) pace_.seconds = options.seconds;
    closing_ = cases_.size();
    for (const Case& one : closing_roofs()) cases_.push_back(one);
    progress_.all = static_cast<int>(cases_.size());
    progress_.weight_all = heat_;
    for (const Case& one : cases_) progress_.weight_all += expected_seconds(one, pace_.seconds);
  }

  int measure_all() {
    fmt::print("{}", heading());
    Watchdog watchdog(longest_case, [this] { end_hanging(); });
    try {
      line_.show(progress_, "heating up");
      heat_up(heat_);
      progress_.weight_done += heat_;
      for (const Case& one : cases_) {
        if (interrupted()) return finish(true);
        measure_one(one);
        watchdog.alive();
      }
    } catch (const std::runtime_error& error) {
      line_.clear();
      fmt::print(stderr, "afford-calibrate: {}; the GPU no longer answers\n", error.what());
      (void)finish(true);
      return exit_no;
    }
    return finish(false);
  }

 private:
  void measure_one(const Case& one) {
    const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_);
    progress_.elapsed = seconds.count();
    line_.show(progress_, fmt::format("{} {} {}", one.point.operation, one.point.precision,
                                      shape_text(one.point)));
    const Point point = measure(one, session_, pace_, read_roof(points_));
    const std::lock_guard lock(mutex_);
    points_.push_back(point);
    ++progress_.done;
    progress_.weight_done += expected_seconds(one, pace_.seconds);
    line_.clear();
    fmt::print("{}", row(point, read_roof(points_)));
    std::fflush(stdout);
  }

  int finish(bool early) {
    line_.clear();
    provenance_.partial = provenance_.partial || early;
    write();
    if (early) return exit_interrupted;
    warn_of_drift();
    return exit_done;
  }

  void write() {
    const std::lock_guard lock(mutex_);
    const auto rejected = std::count_if(points_.begin(), points_.end(),
                                        [](const Point& p) { return !p.rejected.empty(); });
    write_outputs(paths_, points_, provenance_);
    fmt::print(stderr, "afford-calibrate: {} points, {} rejected{}: {} and {}\n", points_.size(),
               rejected, provenance_.partial ? ", not all that there is" : "",
               paths_.calibration.string(), paths_.points.string());
  }

  void warn_of_drift() const {
    const auto middle = points_.begin() + static_cast<std::ptrdiff_t>(closing_);
    const double drift = roof_drift({points_.begin(), middle}, {middle, points_.end()});
    if (drift <= most_roof_drift) return;
    fmt::print(stderr,
               "afford-calibrate: warning: a roof moved by {:.1f} % from start to end, more than "
               "{:.0f} %\n",
               100 * drift, 100 * most_roof_drift);
  }

  /// From the watchdog's thread, while the other one is stuck: keeps what is measured.
  void end_hanging() {
    fmt::print(stderr, "\nafford-calibrate: a kernel did not end within {} s\n",
               longest_case.count());
    provenance_.partial = true;
    try {
      write();
    } catch (const std::exception& error) {
      fmt::print(stderr, "afford-calibrate: {}\n", error.what());
    }
    std::fflush(nullptr);
    std::_Exit(exit_no);
  }

  const Session& session_;
  Pace pace_;
  double heat_;
  std::vector<Case> cases_;
  size_t closing_ = 0;  // the first of the cases that repeat a roof
  Provenance provenance_;
  OutputPaths paths_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  Progress progress_;
  ProgressLine line_;
  std::mutex mutex_;  // of the points
  std::vector<Point> points_;
};

}  // namespace

int run(const RunOptions& options) {
  check_operations(options.only);
  const Session session = open_session(options.gpu, bytes_needed);
  catch_interrupts();
  return Run(options, session).measure_all();
}

}  // namespace afford::calibrate
