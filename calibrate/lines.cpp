#include "lines.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "cases.hpp"
#include "gates.hpp"

namespace afford::calibrate {
namespace {

/// A number, or nothing where it does not apply.
std::string number(double value, int digits) {
  return value > 0 ? fmt::format("{:.{}f}", value, digits) : "";
}

}  // namespace

std::string heading() {
  return fmt::format("{:<16} {:<8} {:<49} {:>10} {:>10} {:>6} {:>6} {:>8} {:>5} {:>4} {:>8}  {}\n",
                     "operation", "format", "shape", "us", "isolated", "TB/s", "% read", "TFLOP/s",
                     "MHz", "W", "error", "rejected");
}

std::string row(const Point& p, double roof) {
  const double seconds = 1e-6 * p.median_us, rate = p.median_us > 0 ? p.bytes / seconds : 0;
  return fmt::format(
      "{:<16} {:<8} {:<49} {:>10} {:>10} {:>6} {:>6} {:>8} {:>5} {:>4} {:>8}  {}\n", p.operation,
      p.precision, shape_text(p), number(p.median_us, 2), number(p.isolated_us, 2),
      number(rate / 1e12, 3), number(roof > 0 && is_bounded(p) ? 100 * rate / roof : 0, 1),
      number(p.median_us > 0 ? p.flops / seconds / 1e12 : 0, 1), number(p.sm_clock_mhz, 0),
      number(p.power_w, 0), fmt::format("{:.1e}", p.error), p.rejected);
}

std::string check_heading() {
  return fmt::format("{:<16} {:<8} {:<49} {:>9} {:>9}  {}\n", "operation", "format", "shape",
                     "error", "tolerance", "result");
}

std::string check_row(const Point& p) {
  return fmt::format("{:<16} {:<8} {:<49} {:>9} {:>9}  {}\n", p.operation, p.precision,
                     shape_text(p), fmt::format("{:.1e}", p.error),
                     fmt::format("{:.1e}", p.tolerance),
                     p.rejected.empty() ? "ok" : "FAILED: " + p.rejected);
}

ProgressLine::ProgressLine() : terminal_(isatty(STDERR_FILENO) != 0) {}

void ProgressLine::show(const Progress& progress, const std::string& what) {
  const std::string line = progress_line(progress, what);
  fmt::print(stderr, "{}{}", line, terminal_ ? "\x1b[K\r" : "\n");
  std::fflush(stderr);
}

void ProgressLine::clear() {
  if (terminal_) fmt::print(stderr, "\x1b[K");
}

}  // namespace afford::calibrate
