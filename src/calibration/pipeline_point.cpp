#include "calibration/pipeline_point.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "calibration/operation_work.hpp"
#include "calibration/pipeline_layout.hpp"
#include "calibration/record_csv.hpp"
#include "text/date.hpp"
#include "text/range.hpp"

namespace afford {
namespace {

constexpr CsvColumn<PipelinePoint> pipeline_columns[] = {
    {"date", &PipelinePoint::date},
    {"chip", &PipelinePoint::chip},
    {"device", &PipelinePoint::device},
    {"driver", &PipelinePoint::driver},
    {"cuda", &PipelinePoint::cuda},
    {"commit", &PipelinePoint::commit},
    {"model", &PipelinePoint::model},
    {"layout", &PipelinePoint::layout},
    {"cache", &PipelinePoint::cache},
    {"shard", &PipelinePoint::shard},
    {"requests", &PipelinePoint::requests},
    {"context", &PipelinePoint::context},
    {"lengths", &PipelinePoint::lengths, true},
    {"micro_batches", &PipelinePoint::micro_batches},
    {"layers", &PipelinePoint::layers},
    {"layer_us", &PipelinePoint::layer_us},
    {"attention_us", &PipelinePoint::attention_us},
    {"core_us", &PipelinePoint::core_us},
    {"ffn_us", &PipelinePoint::ffn_us},
    {"experts_us", &PipelinePoint::experts_us},
    {"spread", &PipelinePoint::spread},
    {"active_experts", &PipelinePoint::active_experts},
    {"busiest_tokens", &PipelinePoint::busiest_tokens},
    {"copies", &PipelinePoint::copies},
    {"power_w", &PipelinePoint::power_w},
    {"temperature_c", &PipelinePoint::temperature_c},
    {"slowed", &PipelinePoint::slowed},
    {"shared", &PipelinePoint::shared},
    {"attention_error", &PipelinePoint::attention_error},
    {"ffn_error", &PipelinePoint::ffn_error},
    {"cache_error", &PipelinePoint::cache_error},
    {"rejected", &PipelinePoint::rejected}};

/// The requests and tokens of "1x131072+31x4096"; nothing where it says none.
struct Lengths {
  std::int64_t requests = 0, tokens = 0, longest = 0;
};
std::optional<Lengths> lengths_of(std::string_view text) {
  constexpr std::int64_t most_requests = 65'536, most_tokens = 1'000'000'000;
  Lengths sum;
  while (true) {
    const size_t end = std::min(text.find('+'), text.size());
    const size_t x = text.find('x');
    if (x >= end) return std::nullopt;
    const auto requests = parse_integer(text.substr(0, x));
    const auto tokens = parse_integer(text.substr(x + 1, end - x - 1));
    if (!requests || *requests < 1 || *requests > most_requests - sum.requests || !tokens ||
        *tokens < 1 || *tokens > most_tokens)
      return std::nullopt;
    sum.requests += *requests;
    sum.tokens += *requests * *tokens;
    sum.longest = std::max(sum.longest, *tokens);
    if (end == text.size()) return sum;
    text.remove_prefix(end + 1);
  }
}

/// Whether the lengths are those of so many requests of that mean.
bool lengths_fit(const PipelinePoint& point) {
  if (point.lengths.empty()) return true;
  const std::optional<Lengths> sum = lengths_of(point.lengths);
  return sum && sum->requests == point.requests &&
         std::abs(sum->tokens - point.context * point.requests) < point.requests;
}

/// What can have run on the GPUs of one server; of a point that counts, every time too.
template <class PlaceOf>
void check(const PipelinePoint& point, const PlaceOf& place_of) {
  const auto refuse = [&](std::string_view name, const std::string& expected) {
    throw InputError(place_of(name), fmt::format("{}: expected {}", name, expected));
  };
  if (!is_date(point.date))
    refuse("date", fmt::format("a date such as 2026-11-27, got '{}'", point.date));
  if (!parse_pipeline_layout(point.layout))
    refuse("layout", fmt::format("one such as 2a1f, 2a2f-tp, ep2 and tp2, got '{}'", point.layout));
  if (point.cache != "bf16" && point.cache != "fp8")
    refuse("cache", fmt::format("bf16 or fp8, got '{}'", point.cache));
  const auto within = [&](std::string_view name, std::int64_t value, Range range) {
    if (value < range.least || value > range.most)
      refuse(name, fmt::format("{} to {}, got {}", range.least, range.most, value));
  };
  within("shard", point.shard, {1, 4096});
  within("requests", point.requests, {1, 65'536});
  within("context", point.context, {1, 1'000'000'000});
  within("micro_batches", point.micro_batches, {1, 64});
  within("layers", point.layers, {1, 4096});
  if (!lengths_fit(point)) {
    refuse("lengths", fmt::format("{} requests of {} tokens in the mean, such as 1x131072+31x4096, "
                                  "got '{}'",
                                  point.requests, point.context, point.lengths));
  }
  constexpr double least_us = 1e-3, most_us = 1e9;
  for (const auto& [name, us] :
       {std::pair("layer_us", point.layer_us), std::pair("attention_us", point.attention_us),
        std::pair("ffn_us", point.ffn_us)}) {
    if (point.rejected.empty() && !(us >= least_us && us <= most_us))
      refuse(name, fmt::format("{:g} to {:g} us, got {}", least_us, most_us, us));
  }
}

}  // namespace

bool has_uneven_lengths(const PipelinePoint& point) {
  const std::optional<Lengths> lengths = lengths_of(point.lengths);
  return lengths &&
         uneven_lengths(static_cast<double>(lengths->longest), static_cast<double>(point.context));
}

std::string pipelines_csv(const std::vector<PipelinePoint>& points) {
  return csv_of(points, CsvColumns<PipelinePoint>(pipeline_columns));
}

std::vector<PipelinePoint> parse_pipelines(std::string_view text, const std::string& file) {
  std::vector<int> lines;
  std::vector<PipelinePoint> points =
      parse_csv(text, file, "pipelines", CsvColumns<PipelinePoint>(pipeline_columns),
                [&](const PipelinePoint& point, const auto& place_of) {
                  check(point, place_of);
                  lines.push_back(place_of("model").line);
                });
  for (size_t i = 0; i < points.size(); ++i) points[i].line = lines[i];
  if (points.empty()) throw InputError({file, 2, 1}, "no pipeline; expected a row of one");
  return points;
}

}  // namespace afford
