#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "calibration/points_csv.hpp"
#include "cases.hpp"
#include "commands.hpp"
#include "error.hpp"
#include "gates.hpp"
#include "interrupt.hpp"
#include "lines.hpp"
#include "measure.hpp"
#include "report/output_file.hpp"
#include "session.hpp"
#include "text/suggest.hpp"
#include "watchdog.hpp"
#include "works.hpp"

namespace afford::calibrate {
namespace {

constexpr double bytes_needed = 12e9, bytes_beside = 24e9;
constexpr double heat = 24;  // seconds at most
constexpr std::chrono::seconds longest_check{60};

void end_hanging() {
  fmt::print(stderr, "afford-calibrate: a kernel did not end within {} s\n", longest_check.count());
  std::fflush(nullptr);
  std::_Exit(exit_no);
}

/// Times the cases for beside.py on a hot GPU and writes them, those that failed a gate too.
int time_beside(const std::vector<Case>& cases, const Session& session, Watchdog& watchdog,
                OutputFile& output) {
  fmt::print("\n{}", heading());
  heat_up(heat);
  std::vector<Point> points;
  for (const Case& one : cases) {
    if (interrupted()) return exit_interrupted;
    watchdog.alive();
    if (!can_run(one, session.lt.get())) continue;
    points.push_back(measure(one, session, {}, read_roof(points)));
    fmt::print("{}", row(points.back(), read_roof(points)));
    std::fflush(stdout);
  }
  output.write(points_csv(points));
  output.finish();
  return exit_done;
}

}  // namespace

void check_operations(const std::vector<std::string>& names) {
  const auto all = operations();
  for (const std::string& name : names) {
    if (std::find(all.begin(), all.end(), name) != all.end()) continue;
    std::string hint = suggestion(name, all);
    if (hint.empty()) hint = fmt::format("; expected one of {}", fmt::join(all, ", "));
    throw UsageError(fmt::format("--only: no operation '{}'{}", name, hint));
  }
}

int verify(const VerifyOptions& options) {
  check_operations(options.only);
  std::optional<OutputFile> beside;
  if (!options.beside.empty()) beside.emplace(options.beside);
  const Session session = open_session(options.gpu, beside ? bytes_beside : bytes_needed);
  catch_interrupts();
  fmt::print("{}", check_heading());
  Watchdog watchdog(longest_check, end_hanging);
  int wrong = 0, checked = 0;
  for (const Case& one : only(verification_cases(), options.only)) {
    if (interrupted()) return exit_interrupted;
    if (!can_run(one, session.lt.get())) continue;
    const Point point = verify(one, session);
    watchdog.alive();
    fmt::print("{}", check_row(point));
    std::fflush(stdout);
    ++checked;
    if (!point.rejected.empty()) ++wrong;
  }
  fmt::print("{} checks, {} failed\n", checked, wrong);
  if (wrong > 0) return exit_no;
  if (!beside) return exit_done;
  return time_beside(only(beside_cases(), options.only), session, watchdog, *beside);
}

}  // namespace afford::calibrate
