#pragma once
// What a run prints: one row of a table a point on stdout, the progress on stderr.

#include <string>

#include "calibration/point.hpp"
#include "progress.hpp"

namespace afford::calibrate {

/// The table's heading and rows; `roof` is the read roof in bytes a second, or zero.
[[nodiscard]] std::string heading();
[[nodiscard]] std::string row(const Point& point, double roof);
/// Those of a check without timing.
[[nodiscard]] std::string check_heading();
[[nodiscard]] std::string check_row(const Point& point);

/// The line that says how far a run is: rewritten in place on a terminal, a new line otherwise.
class ProgressLine {
 public:
  ProgressLine();
  void show(const Progress& progress, const std::string& what);
  /// Takes it away, so that other text can be printed.
  void clear();

 private:
  bool terminal_;
};

}  // namespace afford::calibrate
