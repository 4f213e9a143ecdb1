#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>

#include "calibration/calibration_file.hpp"
#include "text/date.hpp"
#include "yaml/section.hpp"

namespace afford {
namespace {

using yaml::Section;

/// `key` as the name of one of a table's rows.
template <class Meaning, class Row, size_t n>
Meaning row_named(const Section& in, std::string_view key, const std::array<Row, n>& rows,
                  Meaning Row::*meaning) {
  std::pair<std::string_view, Meaning> words[n];
  for (size_t i = 0; i < n; ++i) words[i] = {rows[i].name, rows[i].*meaning};
  return in.choice(key, words);
}

constexpr double most_clock_mhz = 1e5, most_pct = 1e4, most_size = 1e15, most_us = 1e9,
                 most_fraction = 2;

Seconds time_of(const Section& in, std::string_view key) {
  return in.quantity<Dimension{.time = 1}>(key);
}

FitError read_error(const Section& parent) {
  const Section in = parent.child("left_out", {"points", "median_pct", "p90_pct", "worst_pct"});
  return {.points = in.integer("points", {0, 1'000'000}),
          .median = in.real("median_pct", 0, most_pct) / 100,
          .p90 = in.real("p90_pct", 0, most_pct) / 100,
          .worst = in.real("worst_pct", 0, most_pct) / 100};
}

StreamRoof read_stream(const Section& roofs, std::string_view name) {
  if (!roofs.has(name)) return {};
  const Section in = roofs.child(name, {"rate", "start", "left_out"});
  const auto rate = in.quantity<Dimension{.time = -1, .byte = 1}>("rate");
  if (!(rate.base() > 0)) in.fail("rate", "expected more than zero");
  return {.start = time_of(in, "start"), .rate = rate, .error = read_error(in)};
}

TensorRoof read_tensor(const Section& roofs, std::string_view name) {
  if (!roofs.has(name)) return {};
  const Section in = roofs.child(name, {"rate", "sm_clock_mhz"});
  const auto rate = in.quantity<Dimension{.time = -1, .flop = 1}>("rate");
  if (!(rate.base() > 0)) in.fail("rate", "expected more than zero");
  return {.rate = rate, .sm_clock_mhz = in.real("sm_clock_mhz", 0, most_clock_mhz)};
}

Curve read_curve(const Section& parent, std::string_view name) {
  if (!parent.has(name)) return {};
  const Section in = parent.child(name, {"first_octave", "fraction", "measured"});
  Curve curve{.first_octave = static_cast<int>(in.integer("first_octave", {-60, 60})),
              .fraction = in.reals("fraction", 1e-6, most_fraction)};
  if (curve.fraction.empty() || curve.fraction.size() > 60)
    in.fail("fraction", "expected 1 to 60 numbers");
  if (!std::is_sorted(curve.fraction.begin(), curve.fraction.end()))
    in.fail("fraction",
            "expected numbers that never fall: a longer operation comes no further from its roof");
  if (in.has("measured")) {
    const std::vector<double> range = in.reals("measured", 0, most_size);
    if (range.size() != 2 || !(range[0] <= range[1])) in.fail("measured", "expected [least, most]");
    curve.least = range[0], curve.most = range[1];
  }
  return curve;
}

/// Shares of bandwidth and of FLOPs.
std::vector<double> idle_of(const Section& in) {
  std::vector<double> shares = in.reals("idle", 0, 1);
  if (shares.size() != 2) in.fail("idle", "expected [of bandwidth, of FLOPs]");
  return shares;
}

OperationCurve read_operation(const Section& in) {
  const Section fixed = in.child("fixed", {"start", "follow", "combine", "piece", "split"});
  const Section slower = in.child("slower", {"paged", "uneven"});
  const std::vector<double> idle = idle_of(in);
  OperationCurve curve{
      .operation = row_named(in, "operation", operation_classes, &OperationClassRow::operation),
      .precision = row_named(in, "precision", operand_precisions, &OperandPrecisionRow::precision),
      .start = time_of(fixed, "start"),
      .follow = time_of(fixed, "follow"),
      .combine = time_of(fixed, "combine"),
      .piece = time_of(fixed, "piece"),
      .split = time_of(fixed, "split"),
      .paged = slower.real("paged", 0, 10),
      .uneven = slower.real("uneven", 0, 10),
      .idle_memory = idle[0],
      .idle_compute = idle[1],
      .fill = in.real("fill", 0, 1e6),
      .overlap = static_cast<int>(in.integer("overlap", {1, 8})),
      .memory = read_curve(in, "memory"),
      .compute = read_curve(in, "compute"),
      .error = read_error(in)};
  if (curve.overlap > 4 && curve.overlap < 8) in.fail("overlap", "expected 1, 2, 3, 4 or 8");
  return curve;
}

LinkCurve read_link(const Section& in) {
  LinkCurve curve{.operation = in.text("operation"),
                  .by = in.text("by"),
                  .gpus = in.integer("gpus", yaml::Range{2, 4096}),
                  .bytes = in.reals("bytes", 1, most_size),
                  .us = in.reals("us", 1e-3, most_us),
                  .error = read_error(in)};
  const std::string wrong = objection_to_link(curve.operation);
  if (!wrong.empty()) in.fail("operation", wrong);
  if (curve.bytes.size() < 2 || curve.bytes.size() != curve.us.size())
    in.fail("us", fmt::format("expected a time for each of at least two sizes, got {} for {}",
                              curve.us.size(), curve.bytes.size()));
  if (std::adjacent_find(curve.bytes.begin(), curve.bytes.end(), std::greater_equal<>()) !=
      curve.bytes.end())
    in.fail("bytes", "expected sizes that rise");
  return curve;
}

std::string read_date(const Section& measured) {
  std::string date = measured.text("date");
  if (is_date(date)) return date;
  measured.fail("date", fmt::format("expected a date such as 2026-11-24, got '{}'", date));
}

Links read_links(const Section& root) {
  const Section in = root.child("links", {"measured", "edge", "flag", "reading", "curves"});
  const Section measured = in.child("measured", {"date", "commit", "command", "driver", "nccl"});
  const Section reading = in.child("reading", {"in", "out"});
  Links links{.date = read_date(measured),
              .commit = measured.text("commit"),
              .command = measured.text("command"),
              .driver = measured.text("driver"),
              .nccl = measured.text("nccl"),
              .edge = time_of(in, "edge"),
              .flag = time_of(in, "flag"),
              .read_in = reading.real("in", 0, 100),
              .read_out = reading.real("out", 0, 100),
              .curves = {}};
  for (const yaml::Node& item : in.value("curves", yaml::Node::Kind::sequence).items) {
    const Section one =
        in.element("curves", item, {"operation", "by", "gpus", "bytes", "us", "left_out"});
    LinkCurve curve = read_link(one);
    for (const LinkCurve& other : links.curves) {
      if (other.operation == curve.operation && other.by == curve.by && other.gpus == curve.gpus)
        one.fail("operation", fmt::format("{} by {} among {} stands here a second time",
                                          curve.operation, curve.by, curve.gpus));
    }
    links.curves.push_back(std::move(curve));
  }
  return links;
}

Provenance read_provenance(const Section& root) {
  const Section measured = root.child("measured", {"engine", "date", "commit", "command"});
  const Section device = root.child("device", {"name", "multiprocessors", "cards", "driver", "cuda",
                                               "power_cap", "sm_clock_mhz", "memory_clock_mhz"});
  return {.chip = root.name("chip"),
          .engine = measured.name("engine"),
          .architecture = root.name("architecture"),
          .device = device.text("name"),
          .multiprocessors = device.integer("multiprocessors", yaml::Range{1, 4096}),
          .cards = device.has("cards") ? device.integer("cards", yaml::Range{1, 4096}) : 1,
          .driver = device.text("driver"),
          .cuda = device.text("cuda"),
          .power_cap_w = device.quantity<Dimension{.time = -1, .joule = 1}>("power_cap").base(),
          .sm_clock_mhz = device.real("sm_clock_mhz", 0, most_clock_mhz),
          .memory_clock_mhz = device.real("memory_clock_mhz", 0, most_clock_mhz),
          .date = read_date(measured),
          .commit = measured.text("commit"),
          .command = measured.text("command"),
          .partial = root.boolean("partial")};
}

}  // namespace

Calibration read_calibration(const yaml::Node& node, const std::string& file) {
  const Section root = Section::root(file, node, "calibration",
                                     {"schema", "chip", "architecture", "partial", "measured",
                                      "device", "roofs", "launch", "curves", "links"});
  (void)root.integer("schema", {1, 1});
  Calibration out{.file = file, .provenance = read_provenance(root)};
  const Section roofs = root.child("roofs", {"read", "write", "copy", "l2", "bf16", "fp8"});
  if (!roofs.has("read")) {
    throw InputError(roofs.place(),
                     "missing key 'read' in 'roofs': every curve is a fraction of it");
  }
  out.read = read_stream(roofs, "read"), out.write = read_stream(roofs, "write");
  out.copy = read_stream(roofs, "copy"), out.l2 = read_stream(roofs, "l2");
  out.bf16 = read_tensor(roofs, "bf16"), out.fp8 = read_tensor(roofs, "fp8");
  const Section launch = root.child("launch", {"stream", "graph", "dependent"});
  out.launch = {time_of(launch, "stream"), time_of(launch, "graph"), time_of(launch, "dependent")};
  for (const yaml::Node& item : root.value("curves", yaml::Node::Kind::sequence).items) {
    const Section in = root.element("curves", item,
                                    {"operation", "precision", "fixed", "slower", "idle", "overlap",
                                     "fill", "memory", "compute", "left_out"});
    OperationCurve curve = read_operation(in);
    for (const OperationCurve& other : out.curves) {
      if (other.operation == curve.operation && other.precision == curve.precision)
        in.fail("operation", fmt::format("{} in {} stands here a second time",
                                         name_of(curve.operation), name_of(curve.precision)));
    }
    out.curves.push_back(std::move(curve));
  }
  if (root.has("links")) out.links = read_links(root);
  return out;
}

}  // namespace afford
