#pragma once
// The raw points of a calibration as CSV: one row a point, one column a field of Point, times in
// microseconds, sizes in bytes. Lossless both ways. Needs neither YAML nor the rest of afford, so
// that the GPU program compiles it too.

#include <string>
#include <string_view>
#include <vector>

#include "calibration/point.hpp"

namespace afford {

/// Header and one row for each point.
[[nodiscard]] std::string points_csv(const std::vector<Point>& points);

/// Reads what points_csv() writes; the columns may stand in any order, but all must be there and no
/// other. `file` is only for messages. Throws InputError with line and column.
[[nodiscard]] std::vector<Point> parse_points(std::string_view text, const std::string& file);

/// parse_points() of a file of at most 16 MiB.
[[nodiscard]] std::vector<Point> read_points(const std::string& path);

}  // namespace afford
