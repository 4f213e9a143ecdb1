#include "calibration/links.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

namespace afford {
namespace {

/// Microseconds on the line through two measured sizes, on logarithmic scales.
double on_line(const LinkCurve& curve, size_t below, size_t above, double size) {
  const double part =
      std::log(size / curve.bytes[below]) / std::log(curve.bytes[above] / curve.bytes[below]);
  return curve.us[below] * std::pow(curve.us[above] / curve.us[below], part);
}

FitError left_out(const LinkCurve& curve) {
  std::vector<double> errors;
  for (size_t i = 1; i + 1 < curve.bytes.size(); ++i)
    errors.push_back(std::fabs(on_line(curve, i - 1, i + 1, curve.bytes[i]) / curve.us[i] - 1));
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
  if (size <= bytes.front()) return us.front() * microsecond;
  if (size >= bytes.back()) return us.back() * size / bytes.back() * microsecond;
  const auto above =
      static_cast<size_t>(std::upper_bound(bytes.begin(), bytes.end(), size) - bytes.begin());
  return on_line(*this, above - 1, above, size) * microsecond;
}

std::vector<std::int64_t> measured_counts(const Links& links) {
  std::set<std::int64_t> counts;
  for (const LinkCurve& curve : links.curves) counts.insert(curve.gpus);
  return {counts.begin(), counts.end()};
}

std::optional<Seconds> collective_time(const Links& links, std::string_view operation,
                                       std::int64_t gpus, double bytes) {
  std::int64_t fewer = 0, more = 0;  // the nearest counts measured, on either side
  for (const LinkCurve& curve : links.curves) {
    if (curve.operation != operation) continue;
    if (curve.gpus <= gpus) fewer = std::max(fewer, curve.gpus);
    if (curve.gpus > gpus && (more == 0 || curve.gpus < more)) more = curve.gpus;
  }
  const std::int64_t nearest = fewer > 0 ? fewer : more;
  if (nearest == 0 || gpus < 2) return std::nullopt;
  const auto over_a_link = [](std::int64_t count) {
    const auto n = static_cast<double>(count);
    return (n - 1) / n;
  };
  const double size = bytes * over_a_link(gpus) / over_a_link(nearest);
  const double doublings = std::log2(static_cast<double>(gpus) / static_cast<double>(nearest));
  return find_link(links, operation, nearest, size)->at(size) + doublings * links.flag;
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
