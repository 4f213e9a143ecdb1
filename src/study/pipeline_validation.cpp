#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <string_view>
#include <tuple>

#include "calibration/chip_timing.hpp"
#include "error.hpp"
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

/// What afford-calibrate afd measured on servers of two and of four GPUs.
struct ShippedPipelines {
  std::string_view file, known;
};
constexpr std::array shipped_pipelines{ShippedPipelines{"afd-h100.csv", "seen"},
                                       ShippedPipelines{"afd4-h100.csv", "seen"},
                                       ShippedPipelines{"afd-h100-after.csv", "after"},
                                       ShippedPipelines{"afd-h100-third.csv", "after"},
                                       ShippedPipelines{"afd-h100-fourth.csv", "after"},
                                       ShippedPipelines{"afd-h100-fifth.csv", "newer"},
                                       ShippedPipelines{"afd-h100-cards.csv", "cards"},
                                       ShippedPipelines{"afd-h100-clean.csv", "clean"},
                                       ShippedPipelines{"afd-h100-settled.csv", "settled"},
                                       ShippedPipelines{"afd-h100-unequal.csv", "unequal"},
                                       ShippedPipelines{"afd-h200-after.csv", "after"},
                                       ShippedPipelines{"afd-h200-unequal.csv", "unequal"}};

std::vector<PipelineRow> rows_of(const std::string& file, std::string_view known) {
  std::vector<PipelineRow> rows;
  for (PipelinePoint& point : read_pipelines(file)) {
    PipelineRow& row = rows.emplace_back();
    row.place = {file, point.line, 1};
    row.point = std::move(point);
    row.known = known;
  }
  return rows;
}

std::vector<PipelineRow> shipped_rows() {
  std::vector<PipelineRow> all;
  for (const auto& [name, known] : shipped_pipelines) {
    const std::vector<PipelineRow> some =
        rows_of((data_folder() / "validation" / name).string(), known);
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

HardwareSpec chip_of(const PipelineRow& row) {
  return named_at(row.place, [&] { return load_hardware({row.point.chip}).front(); });
}

/// Whether a row is in a group, whatever its model.
bool belongs(const PipelineRow& row, const PipelineGroup& group) {
  if (group.gpus == 0) return true;
  return gpus_of(row.point) == group.gpus && row.point.chip == group.chip &&
         row.known == group.known;
}

PipelineGroup filled(PipelineGroup group, const std::vector<PipelineRow>& rows) {
  std::vector<double> layer, attention, ffn;
  for (const PipelineRow& row : rows) {
    if (!belongs(row, group)) continue;
    if (!group.model.empty() && row.point.model != group.model) continue;
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
  std::map<std::tuple<std::string, std::string, std::int64_t>, std::set<std::string>> there;
  for (const PipelineRow& row : rows)
    there[{row.point.chip, row.known, gpus_of(row.point)}].insert(row.point.model);
  std::vector<PipelineGroup> groups;
  for (const auto& [key, models] : there) {
    const auto& [chip, known, gpus] = key;
    PipelineGroup group{.chip = chip, .known = known, .gpus = gpus, .model = ""};
    for (const std::string& model : models) {
      group.model = model;
      groups.push_back(filled(group, rows));
    }
    group.model.clear();
    groups.push_back(filled(group, rows));
  }
  groups.push_back(filled({}, rows));
  return groups;
}

}  // namespace

double PipelineRow::deviation() const { return deviation_of(predicted->layer, point.layer_us); }
double PipelineRow::attention_deviation() const {
  return deviation_of(predicted->attention, point.attention_us);
}
double PipelineRow::ffn_deviation() const { return deviation_of(predicted->ffn, point.ffn_us); }

PipelineValidation pipeline_validation(const std::string& file, const std::string& calibration) {
  PipelineValidation validation{.rows = file.empty() ? shipped_rows() : rows_of(file, ""),
                                .groups = {}};
  std::map<std::string, HardwareSpec> chips;
  for (PipelineRow& row : validation.rows) {
    auto found = chips.find(row.point.chip);
    if (found == chips.end())
      found = chips.emplace(row.point.chip, with_links(chip_of(row), calibration)).first;
    row.fidelity = fidelity_of(found->second);
    if (!row.point.rejected.empty()) continue;
    row.predicted = named_at(row.place, [&] { return predict_pipeline(row.point, found->second); });
  }
  validation.groups = pipeline_groups(validation.rows);
  return validation;
}

}  // namespace afford::study
