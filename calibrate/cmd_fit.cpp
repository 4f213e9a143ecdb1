#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "calibration/calibration_file.hpp"
#include "calibration/links.hpp"
#include "calibration/points_csv.hpp"
#include "commands.hpp"
#include "error.hpp"
#include "outputs.hpp"
#include "report/output_file.hpp"
#include "text/file.hpp"
#include "yaml/document.hpp"

namespace afford::calibrate {
namespace {

/// What several calibrations hold together.
struct Cards {
  Provenance provenance;
  std::vector<Point> points;
  Links links;  // of the last that has any
};

void require_alike(const Provenance& a, const Provenance& b, const std::string& file) {
  if (a.chip == b.chip && a.multiprocessors == b.multiprocessors && a.engine == b.engine) return;
  throw UsageError(
      fmt::format("{}: expected another card of {} with {} SMs, measured by {}, got {} "
                  "with {} SMs, measured by {}",
                  file, a.chip, a.multiprocessors, a.engine, b.chip, b.multiprocessors, b.engine));
}

/// A file's points may be of several cards themselves.
void add(Cards& all, const std::string& file) {
  const Calibration one = read_calibration(yaml::parse_file(file), file);
  const std::int64_t before = all.points.empty() ? 0 : all.provenance.cards;
  if (before == 0)
    all.provenance = one.provenance;
  else
    require_alike(all.provenance, one.provenance, file);
  std::vector<Point> points = read_points(output_paths(file, one.provenance.chip).points.string());
  for (Point& point : points) {
    point.card += before;
    all.points.push_back(std::move(point));
  }
  all.provenance.cards = before + one.provenance.cards;
  all.provenance.date = std::max(all.provenance.date, one.provenance.date);
  all.provenance.partial = all.provenance.partial && one.provenance.partial;
  if (!one.links.empty()) all.links = one.links;
}

bool same_file(const std::filesystem::path& a, const std::filesystem::path& b) {
  std::error_code none;
  return a == b || std::filesystem::equivalent(a, b, none);
}

/// A card counted twice would halve the spread of the cards.
void refuse_repeats(const std::vector<std::string>& files) {
  for (size_t i = 0; i < files.size(); ++i) {
    for (size_t before = 0; before < i; ++before) {
      if (same_file(files[before], files[i]))
        throw UsageError(fmt::format("{} a second time", files[i]));
    }
  }
}

}  // namespace

int fit(const FitOptions& options) {
  refuse_repeats(options.cards);
  Cards all;
  for (const std::string& file : options.cards) add(all, file);
  const OutputPaths paths = output_paths(options.output, all.provenance.chip);
  for (const std::string& file : options.cards) refuse_to_write_over("-o", paths.calibration, file);
  write_outputs(paths, all.points, all.provenance);
  if (!all.links.empty()) {
    const std::string text =
        read_whole(paths.calibration.string(), largest_calibration, "calibration");
    write_whole(paths.calibration, with_links(text, all.links));
  }
  fmt::print(stderr, "afford-calibrate: {} points of {} cards: {} and {}\n", all.points.size(),
             all.provenance.cards, paths.calibration.string(), paths.points.string());
  return exit_done;
}

}  // namespace afford::calibrate
