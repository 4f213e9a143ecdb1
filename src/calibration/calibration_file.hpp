#pragma once
// hardware/NAME.calibration.yaml: written as plain text by the GPU program and by tests, read like
// every other spec file.

#include <string>

#include "calibration/calibration.hpp"

namespace afford::yaml {
struct Node;
}

namespace afford {

/// The file's text (calibration_writer.cpp; needs no YAML library).
[[nodiscard]] std::string calibration_yaml(const Calibration& calibration);

/// Reads and checks it (calibration_reader.cpp). Throws InputError with line and column.
[[nodiscard]] Calibration read_calibration(const yaml::Node& root, const std::string& file);

}  // namespace afford
