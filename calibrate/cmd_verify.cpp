#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "cases.hpp"
#include "commands.hpp"
#include "error.hpp"
#include "interrupt.hpp"
#include "lines.hpp"
#include "measure.hpp"
#include "session.hpp"
#include "text/suggest.hpp"
#include "watchdog.hpp"
#include "works.hpp"

namespace afford::calibrate {
namespace {

constexpr double bytes_needed = 12e9;
constexpr std::chrono::seconds longest_check{60};

void end_hanging() {
  fmt::print(stderr, "afford-calibrate: a kernel did not end within {} s\n", longest_check.count());
  std::fflush(nullptr);
  std::_Exit(exit_no);
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
  const Session session = open_session(options.gpu, bytes_needed);
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
  return wrong > 0 ? exit_no : exit_done;
}

}  // namespace afford::calibrate
