#pragma once
// Served points beside their predictions as records, notes and a picture.

#include "report/gnuplot.hpp"
#include "report/record.hpp"
#include "study/served_validation.hpp"

namespace afford {

/// One row a point: the columns that scripts join on come first.
[[nodiscard]] Table served_point_table(const study::ServedValidation& validation);

/// One row for each engine, chip and mode, those of each chip below.
[[nodiscard]] Table served_summary_table(const study::ServedValidation& validation);

/// Predicted against measured time, a colour for each chip, with the band of 10 % either way.
[[nodiscard]] Chart served_picture(const study::ServedValidation& validation);

}  // namespace afford
