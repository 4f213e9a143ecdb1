#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "calibration/calibration_file.hpp"
#include "calibration/points_csv.hpp"
#include "cli/commands.hpp"
#include "count/params.hpp"
#include "error.hpp"
#include "load/library.hpp"
#include "load/readers.hpp"
#include "text/suggest.hpp"
#include "yaml/document.hpp"

namespace afford::cli {
namespace {

/// A model has layers, hardware has peaks, a calibration curves; the reader then says all that is
/// wrong.
enum class Kind { model, hardware, calibration };

Kind kind_of(const yaml::Node& root, const std::string& file) {
  for (const yaml::Node& key : root.keys) {
    if (key.text == "layers" || key.text == "attention" || key.text == "ffn") return Kind::model;
    if (key.text == "curves" || key.text == "roofs") return Kind::calibration;
    if (key.text == "peak" || key.text == "memory") return Kind::hardware;
  }
  throw InputError(
      {file, root.line, root.column},
      "neither a model (no 'attention', 'ffn', 'layers') nor hardware (no 'peak', 'memory')");
}

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

/// Prints the verdict on one file; its exit code.
int check(const std::string& file) {
  if (file.ends_with(".csv")) {
    const std::vector<Point> points = read_points(file);
    const auto rejected = std::count_if(points.begin(), points.end(),
                                        [](const Point& p) { return !p.rejected.empty(); });
    fmt::print("{}: ok, {} points, {} rejected\n", file, points.size(), rejected);
    return exit_done;
  }
  const bool config = is_published_config(file);
  const yaml::Node root = config ? yaml::Node{} : yaml::parse_file(file);
  if (!config && kind_of(root, file) == Kind::hardware) {
    const HardwareSpec chip = read_hardware(root, file);
    fmt::print("{}: ok, hardware {}\n", file, chip.name);
    return exit_done;
  }
  if (!config && kind_of(root, file) == Kind::calibration) {
    const Calibration c = read_calibration(root, file);
    fmt::print("{}: ok, calibration of {} ({}), {} curves{}\n", file, c.provenance.chip,
               c.provenance.date, c.curves.size(), c.provenance.partial ? ", partial" : "");
    return exit_done;
  }
  const ModelSpec model = config ? load_models({file}).front() : read_model(root, file);
  const std::vector<std::string> complaints = doubts(model);
  for (const std::string& complaint : complaints) fmt::print("{}: {}\n", file, complaint);
  if (!complaints.empty()) return exit_no;
  fmt::print("{}: ok, model {}, {:.4g} parameters, {:.3g} active\n", file, model.name,
             total_params(model), active_params_as_published(model));
  return exit_done;
}

int run(const std::vector<std::string>& files) {
  int worst = exit_done;
  for (const std::string& file : files) {
    try {
      worst = std::max(worst, check(file));
    } catch (const InputError& error) {
      fmt::print(stderr, "{}\n", error.what());
      worst = exit_bad_input;
    }
  }
  return worst;
}

}  // namespace

Verb check_command(CLI::App& app) {
  auto files = std::make_shared<std::vector<std::string>>();
  Verb verb(app, "check",
            "Lint model, hardware and calibration files; says what is wrong and where");
  verb.required("file", *files, "YAML files");
  verb.run = [files] { return run(*files); };
  return verb;
}

}  // namespace afford::cli
