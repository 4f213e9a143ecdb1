#include "study/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "calibration/calibration_file.hpp"
#include "calibration/points_csv.hpp"
#include "count/params.hpp"
#include "error.hpp"
#include "load/calibrations.hpp"
#include "load/library.hpp"
#include "load/readers.hpp"
#include "load/spec_kind.hpp"
#include "yaml/document.hpp"

namespace afford::study {
namespace {

/// Complaints that do not stop a model from loading.
std::vector<std::string> doubts(const ModelSpec& model) {
  std::vector<std::string> out;
  const auto compare = [&](std::string_view what, double computed,
                           const std::optional<PublishedCount>& published) {
    if (!published || agrees(computed, *published)) return;
    out.push_back(fmt::format("{}: the shapes give {:.4g}, published is {:.4g}, {:+.1f} %", what,
                              computed, published->value, 100 * (computed / published->value - 1)));
  };
  if (model.total_params) {
    compare("total_params",
            total_params(model, {model.total_params->embedding, model.total_params->lm_head}),
            model.total_params);
  }
  compare("active_params", active_params_as_published(model), model.active_params);
  return out;
}

std::string text_of(const std::vector<Point>& points) {
  const auto rejected = std::count_if(points.begin(), points.end(),
                                      [](const Point& p) { return !p.rejected.empty(); });
  return fmt::format("ok, {} points, {} rejected", points.size(), rejected);
}

std::string text_of(const Calibration& c) {
  return fmt::format("ok, calibration of {} ({}), {} curves{}", c.provenance.chip,
                     c.provenance.date, c.curves.size(), c.provenance.partial ? ", partial" : "");
}

FileCheck check_model(const ModelSpec& model) {
  FileCheck out{.what = {}, .doubts = doubts(model), .notes = model.notes};
  if (out.doubts.empty()) {
    out.what = fmt::format("ok, model {}, {:.4g} parameters, {:.3g} active", model.name,
                           total_params(model), active_params_as_published(model));
  }
  return out;
}

}  // namespace

FileCheck check_file(const std::string& file) {
  if (file.ends_with(".csv"))
    return {.what = text_of(read_points(file)), .doubts = {}, .notes = {}};
  if (is_published_config(file)) return check_model(load_model(file));
  const yaml::SharedNode shared = yaml::parse_file(file);
  const yaml::Node& root = shared;
  switch (spec_kind(root, file)) {
    case SpecKind::hardware:
      return {.what = "ok, hardware " + read_hardware(root, file).name, .doubts = {}, .notes = {}};
    case SpecKind::engine:
      return {.what = "ok, engine " + read_engine(root, file).name, .doubts = {}, .notes = {}};
    case SpecKind::calibration:
      return {.what = text_of(*load_calibration(file).calibration), .doubts = {}, .notes = {}};
    case SpecKind::model:
      break;
  }
  return check_model(read_model(root, file));
}

}  // namespace afford::study
