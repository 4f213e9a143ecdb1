#pragma once
// Measures the fabric between the GPUs of this server.

#include <functional>
#include <string>
#include <vector>

#include "calibration/link_point.hpp"

namespace afford::calibrate {

struct LinksRun {
  std::vector<LinkPoint> points;
  std::string nccl;  // its version; empty: not there, and why in `missing`
  std::string missing;
};

/// GPUs 0 to `gpus` - 1, which must be open and in each other's memory; `seen` gets each point as
/// it comes. Throws CudaError.
[[nodiscard]] LinksRun measure_links(int gpus, const std::function<void(const LinkPoint&)>& seen);

}  // namespace afford::calibrate
