#pragma once
// What all pictures share: colours, axes, where names go.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "text/number.hpp"

namespace afford {

// Colours that stay apart in print and for colour-blind eyes.
inline constexpr std::array palette = {"#0072b2", "#e69f00", "#009e73", "#cc3311",
                                       "#882255", "#56b4e9", "#999933", "#000000",
                                       "#ee7788", "#44aa99", "#aa4499", "#777777"};
inline const char* colour(size_t index) { return palette[index % palette.size()]; }

inline constexpr std::string_view look =
    "set border 3 lc rgb '#444444'\n"
    "set tics nomirror out textcolor rgb '#222222'\n"
    "set grid ytics lc rgb '#dddddd' lw 1\n";

template <class Point, class Field>
auto distinct(const std::vector<Point>& points, Field Point::*field) {
  std::vector<Field> values;
  for (const Point& point : points) {
    if (std::find(values.begin(), values.end(), point.*field) == values.end())
      values.push_back(point.*field);
  }
  return values;
}

template <class T>
size_t index_in(const std::vector<T>& values, const T& value) {
  return static_cast<size_t>(std::find(values.begin(), values.end(), value) - values.begin());
}

inline std::string panel_title(std::int64_t context) {
  return fmt::format("{} tokens of context", token_count_text(context));
}

}  // namespace afford
