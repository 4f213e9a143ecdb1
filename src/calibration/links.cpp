#include "calibration/links.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

namespace afford {
namespace {

/// Microseconds of a curve's sizes and times, leaving out `without` (none: its size).
double between(const LinkCurve& curve, double size, size_t without) {
  std::vector<double> bytes, us;
  for (size_t i = 0; i < curve.bytes.size(); ++i) {
    if (i == without) continue;
    bytes.push_back(curve.bytes[i]);
    us.push_back(curve.us[i]);
  }
  if (size <= bytes.front()) return us.front();
  if (size >= bytes.back()) return us.back() * size / bytes.back();
  const auto above =
      static_cast<size_t>(std::upper_bound(bytes.begin(), bytes.end(), size) - bytes.begin());
  const double part = std::log(size / bytes[above - 1]) / std::log(bytes[above] / bytes[above - 1]);
  return us[above - 1] * std::pow(us[above] / us[above - 1], part);
}

FitError left_out(const LinkCurve& curve) {
  std::vector<double> errors;
  for (size_t i = 1; i + 1 < curve.bytes.size(); ++i)
    errors.push_back(std::fabs(between(curve, curve.bytes[i], i) / curve.us[i] - 1));
  return fit_error(errors);
}

std::string numbers(const std::vector<double>& values, const char* format) {
  std::string out;
  for (const double value : values)
    out += (out.empty() ? "" : ", ") + fmt::format(fmt::runtime(format), value);
  return out;
}

}  // namespace

Seconds LinkCurve::at(double size) const {
  return between(*this, size, bytes.size()) * microsecond;
}

const LinkCurve* find_link(const Links& links, std::string_view operation, std::int64_t gpus,
                           double size) {
  const LinkCurve* best = nullptr;
  for (const LinkCurve& curve : links.curves) {
    // Ways that end before this size, as those of small messages do, are no choice.
    if (curve.operation != operation || curve.gpus != gpus || curve.bytes.back() < size) continue;
    if (best == nullptr || curve.at(size) < best->at(size)) best = &curve;
  }
  if (best != nullptr) return best;
  for (const LinkCurve& curve : links.curves)
    if (curve.operation == operation && curve.gpus == gpus &&
        (best == nullptr || curve.bytes.back() > best->bytes.back()))
      best = &curve;
  return best;
}

Links fit_links(const std::vector<LinkPoint>& points, Links links) {
  std::map<std::tuple<std::string, std::string, std::int64_t>, std::map<double, double>> sizes;
  for (const LinkPoint& point : points) {
    if (!point.right) continue;
    if (point.operation == "edge") {
      links.edge = point.us * microsecond;
    } else if (point.operation == "flag") {
      links.flag = point.us * microsecond;
    } else if (point.operation == "read_in") {
      links.read_in = point.cost;
    } else if (point.operation == "read_out") {
      links.read_out = point.cost;
    } else if (point.us > 0) {
      sizes[{point.operation, point.by, point.gpus}][point.bytes] = point.us;
    }
  }
  for (const auto& [key, times] : sizes) {
    LinkCurve curve;
    std::tie(curve.operation, curve.by, curve.gpus) = key;
    for (const auto& [bytes, us] : times) {
      curve.bytes.push_back(bytes);
      curve.us.push_back(us);
    }
    curve.error = left_out(curve);
    links.curves.push_back(std::move(curve));
  }
  return links;
}

std::string links_yaml(const Links& links) {
  std::string out = fmt::format(
      "links:  # of one server; NVLS is off. What the terms mean: src/calibration/links.hpp\n"
      "  measured: {{date: {}, commit: \"{}\", command: \"{}\", driver: \"{}\", nccl: \"{}\"}}\n",
      links.date, links.commit, links.command, links.driver, links.nccl);
  out += fmt::format("  edge: {:.4g} us\n  flag: {:.4g} us\n", links.edge / microsecond,
                     links.flag / microsecond);
  out += fmt::format("  reading: {{in: {:.3f}, out: {:.3f}}}\n  curves:\n", links.read_in,
                     links.read_out);
  for (const LinkCurve& curve : links.curves)
    out += fmt::format(
        "    - operation: {}\n      by: {}\n      gpus: {}\n      bytes: [{}]\n      us: [{}]\n"
        "      left_out: {{points: {}, median_pct: {:.3g}, p90_pct: {:.3g}, worst_pct: {:.3g}}}\n",
        curve.operation, curve.by, curve.gpus, numbers(curve.bytes, "{:.0f}"),
        numbers(curve.us, "{:.4g}"), curve.error.points, 100 * curve.error.median,
        100 * curve.error.p90, 100 * curve.error.worst);
  return out;
}

std::string with_links(const std::string& calibration, const Links& links) {
  const size_t old = calibration.starts_with("links:") ? 0 : calibration.find("\nlinks:");
  const std::string before =
      old == std::string::npos ? calibration : calibration.substr(0, old == 0 ? 0 : old + 1);
  return before + links_yaml(links);
}

}  // namespace afford
