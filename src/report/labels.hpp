#pragma once
// Where to write the names of points so that they do not cover each other.

#include <string>
#include <vector>

namespace afford {

/// A point to name, in pixels (y grows upwards).
struct LabelledPoint {
  double x = 0, y = 0;
  std::string text;
};

enum class Side { right, left, above, below };

/// The side of each point its name goes to: the first that is free of points and of names already
/// placed and stays inside `width`; else the one that covers least.
[[nodiscard]] std::vector<Side> place_labels(const std::vector<LabelledPoint>& points,
                                             double width);

}  // namespace afford
