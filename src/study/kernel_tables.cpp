#include "study/kernel_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "load/calibrations.hpp"
#include "load/library.hpp"
#include "load/source_reader.hpp"
#include "spec/limits.hpp"
#include "study/table_kernels.hpp"
#include "text/number.hpp"
#include "text/statistics.hpp"

namespace afford::study {
namespace {

using yaml::Section;

constexpr double largest = 1e9;

/// The numbers of one point: a list of `count`.
std::vector<double> numbers_of(const yaml::Node& item, const std::string& file, size_t count) {
  std::vector<double> numbers;
  for (const yaml::Node& part : item.items) {
    const auto number =
        part.kind == yaml::Node::Kind::scalar ? parse_real(part.text) : std::nullopt;
    if (!number || *number <= 0 || *number > largest)
      throw InputError({file, part.line, part.column}, "points: expected a number more than zero");
    numbers.push_back(*number);
  }
  if (item.kind != yaml::Node::Kind::sequence || numbers.size() != count)
    throw InputError({file, item.line, item.column},
                     fmt::format("points: expected a list of {} numbers", count));
  return numbers;
}

std::vector<KernelPoint> read_points_of(const Section& in, const std::string& file) {
  const Dtype compute = in.choice("compute", dtype_names),
              storage = in.choice("storage", dtype_names);
  const auto each = [&](size_t count, auto make) {
    std::vector<KernelPoint> points;
    for (const yaml::Node& item : in.value("points", yaml::Node::Kind::sequence).items) {
      const std::vector<double> x = numbers_of(item, file, count);
      KernelPoint point = make(x);
      point.kernel.compute = compute;
      point.measured_us = x.back();
      points.push_back(std::move(point));
    }
    return points;
  };
  if (in.has("gqa")) {
    const Section shape = in.child("gqa", {"query_heads", "kv_heads", "head_dim"});
    const double q = real(shape.integer("query_heads", limits::heads)),
                 kv = real(shape.integer("kv_heads", limits::heads)),
                 d = real(shape.integer("head_dim", limits::head_dim));
    return each(3, [&](const auto& x) {
      return KernelPoint{fmt::format("batch {} at {}", x[0], x[1]),
                         gqa_kernel({q, kv, d, x[0], x[1], storage})};
    });
  }
  if (in.has("prefill")) {
    const Section shape = in.child("prefill", {"query_heads", "kv_heads", "head_dim"});
    const double q = real(shape.integer("query_heads", limits::heads)),
                 kv = real(shape.integer("kv_heads", limits::heads)),
                 d = real(shape.integer("head_dim", limits::head_dim));
    return each(3, [&](const auto& x) {
      KernelPoint point{fmt::format("{} prompts of {}", x[0], x[1]),
                        gqa_kernel({q, kv, d, x[0], x[1], storage})};
      point.kernel.kind = Kernel::Kind::prefill;
      return point;
    });
  }
  if (in.has("mla")) {
    const double q = real(in.child("mla", {"query_heads"}).integer("query_heads", limits::heads));
    return each(3, [&](const auto& x) {
      return KernelPoint{fmt::format("batch {} at {}", x[0], x[1]),
                         mla_kernel({q, 1, 0, x[0], x[1], storage})};
    });
  }
  if (in.has("gate_up")) {
    const Section shape = in.child("gate_up", {"hidden", "intermediate"});
    const double h = real(shape.integer("hidden", limits::width)),
                 i = real(shape.integer("intermediate", limits::width));
    return each(3, [&](const auto& x) {
      return KernelPoint{fmt::format("{} experts of {}", x[0], x[1]),
                         experts_kernel({Kernel::Kind::gate_up, storage, h, i, x[0], x[0] * x[1]})};
    });
  }
  return each(4, [&](const auto& x) {
    return KernelPoint{fmt::format("{} x {} x {}", x[0], x[1], x[2]),
                       dense_kernel(storage, x[0], x[1], x[2])};
  });
}

}  // namespace

std::vector<KernelTable> read_kernel_tables(const yaml::Node& node, const std::string& file) {
  const Section root = Section::root(file, node, "kernels", {"schema", "sources", "tables"});
  (void)root.integer("schema", {1, 1});
  const Sources sources = read_sources(root);
  std::vector<KernelTable> tables;
  for (const yaml::Node& item : root.value("tables", yaml::Node::Kind::sequence).items) {
    const Section in =
        root.element("tables", item,
                     {"name", "chip", "kernel", "engine", "source", "tolerance_pct", "compute",
                      "storage", "gqa", "mla", "gate_up", "dense", "prefill", "points"});
    tables.push_back({.name = in.text("name"),
                      .chip = in.name("chip"),
                      .kernel = in.text("kernel"),
                      .source = cite(sources, read_source(in, sources)),
                      .tolerance_pct = in.real("tolerance_pct", 0, 100),
                      .points = read_points_of(in, file),
                      .engine = in.has("engine") ? in.name("engine") : "ideal"});
    if (tables.back().points.empty()) in.fail("points", "expected at least one");
    const KernelTable& table = tables.back();
    (void)named_at(in.place("chip"), [&] { return hardware_path(table.chip); });
    (void)named_at(in.place("engine"), [&] { return engine_path(table.engine); });
  }
  if (tables.empty()) root.fail("tables", "expected at least one table");
  return tables;
}

KernelCheck check_kernels(const KernelTable& table, const std::string& calibration, ReadOnce& files,
                          LeftOut* left_out) {
  std::vector<HardwareSpec> chips = {files.chip(table.chip, {})};
  constexpr bool experts = true;  // their curve too: it is what is checked
  attach_calibrations(pointers_to(chips), files.calibrations(calibration), experts, left_out);
  const Engine& engine = files.engine(table.engine, {});
  const Machine machine(chips.front(), engine);
  KernelCheck check{.fidelity = fidelity_of(chips.front()), .predicted_us = {}};
  std::vector<double> deviations, sizes;
  for (const KernelPoint& point : table.points) {
    check.predicted_us.push_back(kernel_ops(point.kernel, machine).time() / microsecond);
    deviations.push_back(100 * (check.predicted_us.back() / point.measured_us - 1));
    sizes.push_back(std::fabs(deviations.back()));
  }
  check.worst = static_cast<size_t>(std::max_element(sizes.begin(), sizes.end()) - sizes.begin());
  check.median_pct = quantile(sizes, 0.5);
  check.p90_pct = quantile(sizes, 0.9);
  check.bias_pct = quantile(deviations, 0.5);
  check.within = check.median_pct <= table.tolerance_pct;
  return check;
}

}  // namespace afford::study
