#include "calibration/pipeline_point.hpp"

#include "calibration/record_csv.hpp"
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

/// "2a1f", "2a2f-tp", "ep2", "tp2".
bool is_layout(std::string_view name) {
  constexpr std::string_view cut = "-tp";
  const auto is_count = [](char c) { return c >= '1' && c <= '9'; };
  if (name.size() == 3)
    return (name.starts_with("ep") || name.starts_with("tp")) && is_count(name[2]);
  if (name.size() == 4 + cut.size() && name.ends_with(cut)) name.remove_suffix(cut.size());
  return name.size() == 4 && is_count(name[0]) && name[1] == 'a' && is_count(name[2]) &&
         name[3] == 'f';
}

/// What can have run on the GPUs of one server; of a point that counts, every time too.
template <class PlaceOf>
void check(const PipelinePoint& point, const PlaceOf& place_of) {
  const auto refuse = [&](std::string_view name, const std::string& expected) {
    throw InputError(place_of(name), fmt::format("{}: expected {}", name, expected));
  };
  if (!is_layout(point.layout))
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
  constexpr double least_us = 1e-3, most_us = 1e9;
  for (const auto& [name, us] :
       {std::pair("layer_us", point.layer_us), std::pair("attention_us", point.attention_us),
        std::pair("ffn_us", point.ffn_us)}) {
    if (point.rejected.empty() && !(us >= least_us && us <= most_us))
      refuse(name, fmt::format("{:g} to {:g} us, got {}", least_us, most_us, us));
  }
}

}  // namespace

std::string pipelines_csv(const std::vector<PipelinePoint>& points) {
  return csv_of(points, CsvColumns<PipelinePoint>(pipeline_columns));
}

std::vector<PipelinePoint> parse_pipelines(std::string_view text, const std::string& file) {
  std::vector<PipelinePoint> points =
      parse_csv(text, file, "pipelines", CsvColumns<PipelinePoint>(pipeline_columns),
                [](const PipelinePoint& point, const auto& place_of) { check(point, place_of); });
  if (points.empty()) throw InputError({file, 2, 1}, "no pipeline; expected a row of one");
  return points;
}

}  // namespace afford
