#include "calibration/pipeline_point.hpp"

#include "calibration/record_csv.hpp"

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

}  // namespace

std::string pipelines_csv(const std::vector<PipelinePoint>& points) {
  return csv_of(points, CsvColumns<PipelinePoint>(pipeline_columns));
}

std::vector<PipelinePoint> parse_pipelines(std::string_view text, const std::string& file) {
  return parse_csv(text, file, "pipelines", CsvColumns<PipelinePoint>(pipeline_columns));
}

}  // namespace afford
