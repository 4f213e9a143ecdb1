#pragma once
// What every measurement of links needs: buffers and flags on each GPU, streams, and the timing of
// one transfer.

#include <cuda_bf16.h>

#include <functional>
#include <string>
#include <vector>

#include "calibration/link_point.hpp"
#include "device.hpp"
#include "gpu_streams.hpp"

namespace afford::calibrate {

inline constexpr size_t least_link_bytes = size_t{4} << 10, most_link_bytes = size_t{256} << 20;

/// One kind of transfer of one size: how it is put into the streams, and whether it arrived.
struct Transfer {
  std::string operation, by;
  int gpus = 2;
  size_t bytes = 0;
  std::function<void()> enqueue;
  std::function<bool()> arrived;
};

class LinkBench {
 public:
  /// On GPUs 0 to `gpus` - 1; `seen` gets each point as it comes. Throws CudaError.
  LinkBench(int gpus, const std::function<void(const LinkPoint&)>& seen);

  [[nodiscard]] int gpus() const { return gpus_; }
  [[nodiscard]] const GpuStreams& streams() const { return streams_; }
  /// BF16 values that a GPU sends, and room for as many that it gets: most_link_bytes.
  [[nodiscard]] __nv_bfloat16* from(int gpu) const { return at(from_, gpu); }
  [[nodiscard]] __nv_bfloat16* to(int gpu) const { return at(to_, gpu); }
  [[nodiscard]] int* flag(int gpu) const { return flags_[static_cast<size_t>(gpu)].data(); }

  /// Whether the first `count` values at `to` (no more than are checked) are those that `gpu`
  /// sends, or near the sum of what all send.
  [[nodiscard]] bool holds(const __nv_bfloat16* to, int gpu, size_t count = checked) const;
  [[nodiscard]] bool holds_sum(const __nv_bfloat16* to, size_t count = checked) const;

  void measure(const Transfer& transfer);
  void finish(const LinkPoint& point);
  /// Microseconds of one of the `each` operations of a graph.
  struct Timed {
    double us = 0, spread = 0;
  };
  [[nodiscard]] Timed timed(const Graph& graph, int each) const;

  [[nodiscard]] std::vector<LinkPoint> points() { return std::move(points_); }

  static constexpr size_t checked = 1024;  // values, of the first part and of the last

 private:
  [[nodiscard]] static __nv_bfloat16* at(const std::vector<DeviceArray<__nv_bfloat16>>& arrays,
                                         int gpu) {
    return arrays[static_cast<size_t>(gpu)].data();
  }

  int gpus_;
  const std::function<void(const LinkPoint&)>& seen_;
  GpuStreams streams_;
  std::vector<DeviceArray<__nv_bfloat16>> from_, to_;
  std::vector<DeviceArray<int>> flags_;
  std::vector<std::vector<float>> values_;  // the first of each GPU's operand
  std::vector<LinkPoint> points_;
};

}  // namespace afford::calibrate
