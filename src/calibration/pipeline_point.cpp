#include "calibration/pipeline_point.hpp"

#include "calibration/record_csv.hpp"

namespace afford {
namespace {

using P = PipelinePoint;

constexpr CsvColumn<P> columns[] = {{"date", &P::date},
                                    {"chip", &P::chip},
                                    {"device", &P::device},
                                    {"driver", &P::driver},
                                    {"cuda", &P::cuda},
                                    {"commit", &P::commit},
                                    {"model", &P::model},
                                    {"layout", &P::layout},
                                    {"cache", &P::cache},
                                    {"shard", &P::shard},
                                    {"requests", &P::requests},
                                    {"context", &P::context},
                                    {"lengths", &P::lengths, true},
                                    {"micro_batches", &P::micro_batches},
                                    {"layers", &P::layers},
                                    {"layer_us", &P::layer_us},
                                    {"attention_us", &P::attention_us},
                                    {"core_us", &P::core_us},
                                    {"ffn_us", &P::ffn_us},
                                    {"experts_us", &P::experts_us},
                                    {"spread", &P::spread},
                                    {"active_experts", &P::active_experts},
                                    {"busiest_tokens", &P::busiest_tokens},
                                    {"copies", &P::copies},
                                    {"power_w", &P::power_w},
                                    {"temperature_c", &P::temperature_c},
                                    {"slowed", &P::slowed},
                                    {"shared", &P::shared},
                                    {"attention_error", &P::attention_error},
                                    {"ffn_error", &P::ffn_error},
                                    {"cache_error", &P::cache_error},
                                    {"rejected", &P::rejected}};

}  // namespace

std::string pipelines_csv(const std::vector<PipelinePoint>& points) {
  return csv_of(points, CsvColumns<P>(columns));
}

std::vector<PipelinePoint> parse_pipelines(std::string_view text, const std::string& file) {
  return parse_csv(text, file, "pipelines", CsvColumns<P>(columns));
}

}  // namespace afford
