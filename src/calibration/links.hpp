#pragma once
// What moving data between the GPUs of one server takes, as measured there: a section of the
// calibration of their chip.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calibration/fit_error.hpp"
#include "calibration/link_point.hpp"
#include "units.hpp"

namespace afford {

/// The time of one operation over its size, straight between the measured sizes on logarithmic
/// scales; below them constant, above them at the rate of the largest.
struct LinkCurve {
  std::string operation, by;  // as LinkPoint has them
  std::int64_t gpus = 2;
  std::vector<double> bytes, us;  // rising sizes
  FitError error;                 // each size but the first and last, from its neighbours

  [[nodiscard]] Seconds at(double size) const;
};

struct Links {
  std::string date, commit, command, driver;
  std::string nccl;  // its version; empty: not measured. NVLS, multicast by the switch, is off
  // A kernel that waits for one of another GPU in a CUDA graph, beyond one that waits on its own; a
  // flag between running kernels, one way. 0: not measured.
  Seconds edge, flag;
  // Bytes of its own memory that a kernel could have read in the time that one byte arriving over
  // the links, or leaving, costs it.
  double read_in = 0, read_out = 0;
  std::vector<LinkCurve> curves;

  [[nodiscard]] bool empty() const { return curves.empty(); }
};

/// The fastest measured way to do `operation` among `gpus`, for `size` bytes; null when none was
/// measured among so many.
[[nodiscard]] const LinkCurve* find_link(const Links& links, std::string_view operation,
                                         std::int64_t gpus, double size);

/// The numbers of GPUs among which links were measured, rising.
[[nodiscard]] std::vector<std::int64_t> measured_counts(const Links& links);

/// A collective of `bytes` (as LinkPoint counts them) among `gpus` of one server. Where so many
/// were not measured: the bytes over a link as a ring moves them, (n - 1) / n of the vector a pass,
/// on the curve of the nearest count, the fewer GPUs if there are, and a flag for each doubling.
/// None where it was not measured.
[[nodiscard]] std::optional<Seconds> collective_time(const Links& links, std::string_view operation,
                                                     std::int64_t gpus, double bytes);

/// Curves and numbers of what was right. `links` brings what is known of the run.
[[nodiscard]] Links fit_links(const std::vector<LinkPoint>& points, Links links);

/// The section as a calibration file has it, from `links:` on.
[[nodiscard]] std::string links_yaml(const Links& links);

/// The text of a calibration file with its section of links, which is its last, replaced or added.
[[nodiscard]] std::string with_links(const std::string& calibration, const Links& links);

}  // namespace afford
