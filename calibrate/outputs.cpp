#include "outputs.hpp"

#include <fmt/format.h>

#include "calibration/calibration_file.hpp"
#include "calibration/fit.hpp"
#include "calibration/points_csv.hpp"
#include "engine.hpp"
#include "error.hpp"
#include "report/output_file.hpp"

namespace afford::calibrate {

namespace fs = std::filesystem;

OutputPaths output_paths(const std::string& output, const std::string& chip) {
  const fs::path path(output);
  std::error_code ignored;
  if (fs::is_directory(path, ignored))
    return {path / (chip + ".calibration.yaml"), path / (chip + ".points.csv")};
  const bool named = path.extension() == ".yaml";
  const fs::path folder = path.parent_path().empty() ? "." : path.parent_path();
  if (!named || !fs::is_directory(folder, ignored))
    throw UsageError(
        fmt::format("-o: expected an existing folder or a file .yaml in one, got '{}'", output));
  fs::path stem = path.stem();
  if (stem.extension() == ".calibration") stem = stem.stem();
  return {path, path.parent_path() / (stem.string() + ".points.csv")};
}

void write_outputs(const OutputPaths& paths, const std::vector<Point>& points,
                   const Provenance& provenance) {
  write_whole(paths.points, points_csv(points));
  write_whole(paths.calibration, calibration_yaml(fit_calibration(points, provenance, kernels())));
}

}  // namespace afford::calibrate
