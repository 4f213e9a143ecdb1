#pragma once
// Where a number comes from. Every spec file lists its sources once, by a short id, and every part
// of the file names one; a part without a source does not load.

#include <string>
#include <string_view>
#include <vector>

namespace afford {

struct Source {
  std::string id;
  std::string what;  // document, and where in it
  std::string date;  // YYYY, YYYY-MM or YYYY-MM-DD
};
using Sources = std::vector<Source>;

/// A value with the id of its source.
template <class T>
struct Sourced {
  T value{};
  std::string source;
};

/// "Step-3 report ... (2025-07)".
[[nodiscard]] std::string cite(const Sources& sources, std::string_view id);

}  // namespace afford
