#pragma once
// The two files of a calibration.

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "calibration/calibration.hpp"
#include "calibration/point.hpp"

namespace afford::calibrate {

/// Bytes of a calibration that a verb reads, at most.
constexpr size_t largest_calibration = size_t{4} << 20;

struct OutputPaths {
  std::filesystem::path calibration, points;
};

/// From an existing folder: NAME.calibration.yaml and NAME.points.csv in it, NAME being the chip.
/// From FILE.yaml or FILE.calibration.yaml: that, and FILE.points.csv. Throws UsageError for
/// anything else.
[[nodiscard]] OutputPaths output_paths(const std::string& output, const std::string& chip);

/// Writes the points, then fits and writes the calibration; each file appears whole. Throws
/// UsageError, also when the points do not make a calibration: the table of points stays.
void write_outputs(const OutputPaths& paths, const std::vector<Point>& points,
                   const Provenance& provenance);

}  // namespace afford::calibrate
