#include <fmt/format.h>

#include <algorithm>

#include "calibration/calibration_file.hpp"

namespace afford {
namespace {

/// YAML text in quotes: these come from the driver and the command line.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c < ' ' ? ' ' : c;
  }
  return out + '"';
}

std::string time_text(Seconds time) { return fmt::format("{:.5g} us", time / microsecond); }

std::string error_text(const FitError& e) {
  return fmt::format("{{points: {}, median_pct: {:.3g}, p90_pct: {:.3g}, worst_pct: {:.3g}}}",
                     e.points, 100 * e.median, 100 * e.p90, 100 * e.worst);
}

void add_stream(std::string& out, std::string_view name, const StreamRoof& roof) {
  if (!(roof.rate.base() > 0)) return;
  out += fmt::format("  {}: {{rate: {:.6g} TB/s, start: {}, left_out: {}}}\n", name,
                     roof.rate / TB_per_s, time_text(roof.start), error_text(roof.error));
}

void add_tensor(std::string& out, std::string_view name, const TensorRoof& roof) {
  if (!(roof.rate.base() > 0)) return;
  out += fmt::format("  {}: {{rate: {:.6g} TFLOP/s, sm_clock_mhz: {:.0f}}}\n", name,
                     roof.rate / TFLOP_per_s, roof.sm_clock_mhz);
}

void add_curve(std::string& out, std::string_view name, const Curve& curve) {
  if (curve.fraction.empty()) return;
  std::string fractions;
  for (const double f : curve.fraction)
    fractions += fmt::format("{}{:.4f}", fractions.empty() ? "" : ", ", f);
  out += fmt::format("    {}: {{first_octave: {}, fraction: [{}]", name, curve.first_octave,
                     fractions);
  if (curve.most > 0) out += fmt::format(", measured: [{:.6g}, {:.6g}]", curve.least, curve.most);
  out += "}\n";
}

}  // namespace

std::string calibration_yaml(const Calibration& c) {
  const Provenance& p = c.provenance;
  std::string out = fmt::format(
      "# Measured by afford-calibrate; the points are in {0}.points.csv beside it. Fractions are "
      "of the "
      "roofs below, one\n"
      "# a power of two from 2^first_octave on: memory over bytes per SM, compute over rows "
      "(attention: "
      "bytes per SM).\n"
      "# What the terms mean: src/calibration/calibration.hpp. left_out: each point predicted by "
      "the fit "
      "without it.\n"
      "schema: 1\nchip: {0}\narchitecture: {1}\npartial: {2}\n",
      p.chip, p.architecture, p.partial);
  out += fmt::format(
      "measured: {{engine: {}, date: {}, commit: {}, command: {}}}\n"
      "device: {{name: {}, multiprocessors: {}, {}driver: {}, cuda: {}, power_cap: {:.6g} W, "
      "sm_clock_mhz: "
      "{:.0f}, "
      "memory_clock_mhz: {:.0f}}}\n",
      p.engine, p.date, quoted(p.commit), quoted(p.command), quoted(p.device), p.multiprocessors,
      p.cards > 1 ? fmt::format("cards: {}, ", p.cards) : "", quoted(p.driver), quoted(p.cuda),
      p.power_cap_w, p.sm_clock_mhz, p.memory_clock_mhz);
  out += "roofs:\n";
  add_stream(out, "read", c.read);
  add_stream(out, "write", c.write);
  add_stream(out, "copy", c.copy);
  add_stream(out, "l2", c.l2);
  add_tensor(out, "bf16", c.bf16);
  add_tensor(out, "fp8", c.fp8);
  out +=
      fmt::format("launch: {{stream: {}, graph: {}, dependent: {}}}\n", time_text(c.launch.stream),
                  time_text(c.launch.graph), time_text(c.launch.dependent));
  out += c.curves.empty() ? "curves: []\n" : "curves:\n";
  for (const OperationCurve& curve : c.curves) {
    out += fmt::format("  - operation: {}\n    precision: {}\n", name_of(curve.operation),
                       name_of(curve.precision));
    out += fmt::format("    fixed: {{start: {}, follow: {}, combine: {}, piece: {}, split: {}}}\n",
                       time_text(curve.start), time_text(curve.follow), time_text(curve.combine),
                       time_text(curve.piece), time_text(curve.split));
    out += fmt::format(
        "    slower: {{paged: {:.4f}, uneven: {:.4f}}}\n    idle: [{:.4f}, {:.4f}]\n    overlap: "
        "{}\n    "
        "fill: {:.4g}\n",
        curve.paged, curve.uneven, curve.idle_memory, curve.idle_compute, curve.overlap,
        curve.fill);
    add_curve(out, "memory", curve.memory);
    add_curve(out, "compute", curve.compute);
    out += fmt::format("    left_out: {}\n", error_text(curve.error));
  }
  return c.links.empty() ? out : out + links_yaml(c.links);
}

}  // namespace afford
