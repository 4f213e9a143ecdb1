#include "progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace afford::calibrate {

double time_left(const Progress& progress) {
  const double left = std::max(0.0, progress.weight_all - progress.weight_done);
  return progress.weight_done > 0 ? progress.elapsed / progress.weight_done * left : left;
}

std::string progress_line(const Progress& progress, const std::string& what) {
  const auto seconds = static_cast<int>(std::lround(time_left(progress)));
  const std::string all = fmt::format("{}", progress.all);
  return fmt::format("[{:>{}}/{}] {}:{:02} left  {}", progress.done, all.size(), all, seconds / 60,
                     seconds % 60, what);
}

}  // namespace afford::calibrate
