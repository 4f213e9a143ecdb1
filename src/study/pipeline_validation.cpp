#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "calibration/chip_timing.hpp"
#include "load/calibrations.hpp"
#include "load/library.hpp"
#include "study/pipelines.hpp"
#include "text/file.hpp"

namespace afford::study {
namespace {

double deviation_of(Seconds predicted, double measured_us) {
  return predicted / (measured_us * microsecond) - 1;
}

std::vector<PipelinePoint> read_pipelines(const std::string& file) {
  constexpr size_t most_bytes = size_t{16} << 20;
  return parse_pipelines(read_whole(file, most_bytes, "table of pipelines"), file);
}

/// What afford-calibrate afd measured on pairs and on fours of H100, and the calibration of one.
constexpr const char* shipped_calibration = "h100.calibration.yaml";
std::vector<PipelinePoint> shipped_pipelines() {
  std::vector<PipelinePoint> all;
  for (const char* name : {"afd-h100.csv", "afd4-h100.csv"}) {
    const std::vector<PipelinePoint> some =
        read_pipelines((data_folder() / "validation" / name).string());
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

PipelineGroup pipeline_group(const std::vector<PipelineRow>& rows, std::int64_t gpus,
                             const std::string& model) {
  PipelineGroup group{.gpus = gpus, .model = model};
  std::vector<double> layer, attention, ffn;
  for (const PipelineRow& row : rows) {
    if (gpus != 0 && gpus_of(row.point) != gpus) continue;
    if (!model.empty() && row.point.model != model) continue;
    if (!row.predicted) {
      ++group.left_out;
      continue;
    }
    layer.push_back(row.deviation());
    attention.push_back(row.attention_deviation());
    ffn.push_back(row.ffn_deviation());
    group.worst = std::max(group.worst, std::fabs(row.deviation()));
  }
  group.layer = summary_of(layer);
  group.attention = summary_of(attention);
  group.ffn = summary_of(ffn);
  return group;
}

std::vector<PipelineGroup> pipeline_groups(const std::vector<PipelineRow>& rows) {
  std::map<std::int64_t, std::map<std::string, int>> there;
  for (const PipelineRow& row : rows) ++there[gpus_of(row.point)][row.point.model];
  std::vector<PipelineGroup> groups;
  for (const auto& [gpus, models] : there) {
    for (const auto& [model, count] : models) groups.push_back(pipeline_group(rows, gpus, model));
    groups.push_back(pipeline_group(rows, gpus, ""));
  }
  groups.push_back(pipeline_group(rows, 0, ""));
  return groups;
}

}  // namespace

double PipelineRow::deviation() const { return deviation_of(predicted->layer, point.layer_us); }
double PipelineRow::attention_deviation() const {
  return deviation_of(predicted->attention, point.attention_us);
}
double PipelineRow::ffn_deviation() const { return deviation_of(predicted->ffn, point.ffn_us); }

PipelineRow::Rate PipelineRow::rate(Seconds layer) const {
  const Seconds tpot = static_cast<double>(point.layers) * layer;
  const auto requests = static_cast<double>(point.requests * point.micro_batches);
  const double gpus = static_cast<double>(gpus_of(point));
  return {tpot, static_cast<double>(attention_gpus_of(point)) * requests / gpus / tpot.base()};
}

PipelineValidation pipeline_validation(const std::string& file, const std::string& calibration) {
  PipelineValidation validation;
  std::map<std::string, HardwareSpec> chips;
  const bool own = file.empty() && calibration.empty();
  const std::string choice =
      own ? (data_folder() / "validation" / shipped_calibration).string() : calibration;
  for (const PipelinePoint& point : file.empty() ? shipped_pipelines() : read_pipelines(file)) {
    auto found = chips.find(point.chip);
    if (found == chips.end()) {
      found = chips.emplace(point.chip, load_hardware({point.chip}).front()).first;
      attach_calibrations({&found->second}, choice, true);
    }
    PipelineRow row{.point = point, .predicted = {}, .fidelity = fidelity_of(found->second)};
    if (point.rejected.empty()) row.predicted = predict_pipeline(point, found->second);
    validation.rows.push_back(std::move(row));
  }
  validation.groups = pipeline_groups(validation.rows);
  return validation;
}

}  // namespace afford::study
