#include "study/served_points.hpp"

#include <fmt/format.h>

#include <array>

#include "calibration/record_csv.hpp"
#include "text/date.hpp"
#include "text/file.hpp"

namespace afford::study {
namespace {

constexpr size_t most_bytes = 64U << 20U;

constexpr CsvColumn<ServedPoint> columns[] = {
    {"id", &ServedPoint::id, true},
    {"engine", &ServedPoint::engine},
    {"engine_version", &ServedPoint::engine_version, true},
    {"model", &ServedPoint::model},
    {"chip", &ServedPoint::chip},
    {"mode", &ServedPoint::mode},
    {"isl", &ServedPoint::isl},
    {"osl", &ServedPoint::osl},
    {"linear_format", &ServedPoint::linear_format, true},
    {"expert_format", &ServedPoint::expert_format, true},
    {"concurrency_or_batch", &ServedPoint::concurrency_or_batch},
    {"workers", &ServedPoint::workers, true},
    {"tp", &ServedPoint::tp},
    {"attention_dp", &ServedPoint::attention_dp, true},
    {"moe_tp", &ServedPoint::moe_tp, true},
    {"moe_ep", &ServedPoint::moe_ep, true},
    {"ttft_ms", &ServedPoint::ttft_ms, true},
    {"tpot_ms", &ServedPoint::tpot_ms},
    {"aiconfigurator_tpot_ms", &ServedPoint::aiconfigurator_tpot_ms, true},
    {"source", &ServedPoint::source, true},
    {"date", &ServedPoint::date, true},
};

/// What no point can be without, whatever its parallelism means.
template <class PlaceOf>
void check(ServedPoint& point, const PlaceOf& place_of) {
  constexpr std::array<std::string_view, 2> modes = {"mixed", "decode_only"};
  if (std::find(modes.begin(), modes.end(), point.mode) == modes.end()) {
    throw InputError(place_of("mode"), fmt::format("mode: no mode '{}'{}", point.mode,
                                                   suggestion(point.mode, modes)));
  }
  const auto within = [&](std::string_view name, double value, double least, double most) {
    if (value >= least && value <= most) return;
    throw InputError(place_of(name), fmt::format("{}: expected a number from {:g} to {:g}, got {}",
                                                 name, least, most, value));
  };
  constexpr double most_tokens = 1e9, most_requests = 1e6, most_accelerators = 65536;
  constexpr double least_ms = 1e-3, most_ms = 1e9;
  within("isl", point.isl, 1, most_tokens);
  within("osl", point.osl, 1, most_tokens);
  within("concurrency_or_batch", point.concurrency_or_batch, 1e-3, most_requests);
  within("workers", static_cast<double>(point.workers), 0, most_accelerators);
  within("tp", static_cast<double>(point.tp), 1, most_accelerators);
  within("moe_tp", static_cast<double>(point.moe_tp), 0, most_accelerators);
  within("moe_ep", static_cast<double>(point.moe_ep), 0, most_accelerators);
  within("tpot_ms", point.tpot_ms, least_ms, most_ms);
  if (point.aiconfigurator_tpot_ms)
    within("aiconfigurator_tpot_ms", *point.aiconfigurator_tpot_ms, least_ms, most_ms);
  if (point.ttft_ms) within("ttft_ms", *point.ttft_ms, 0, most_ms);
  if (point.attention_dp) within("attention_dp", *point.attention_dp, 1, most_accelerators);
  if (!point.date.empty() && !is_date(point.date)) {
    throw InputError(place_of("date"),
                     fmt::format("date: expected a date such as 2026-11-24, got '{}'", point.date));
  }
  if (point.id.empty()) point.id = fmt::format("line {}", place_of("tpot_ms").line);
}

}  // namespace

std::vector<ServedPoint> parse_served_points(std::string_view text, const std::string& file) {
  std::vector<ServedPoint> points =
      parse_csv(text, file, "served points", CsvColumns<ServedPoint>(columns),
                [](ServedPoint& point, const auto& place_of) { check(point, place_of); });
  if (points.empty()) throw InputError({file, 2, 1}, "no point; expected a row of a measurement");
  return points;
}

std::vector<ServedPoint> read_served_points(const std::string& path) {
  return parse_served_points(read_whole(path, most_bytes, "served points"), path);
}

}  // namespace afford::study
