#pragma once
// When each stage of a pipeline started and ended on its GPU, on one clock: the measured timeline.

#include <cuda_runtime_api.h>

#include <map>
#include <vector>

#include "device.hpp"
#include "study/pipeline_timeline.hpp"

namespace afford::calibrate {

using study::StageSpan;

/// Each stamp is a kernel of one thread, which makes a stage some 2 us longer.
class StageStamps {
 public:
  /// `most`: stages on one GPU. Throws CudaError.
  StageStamps(const std::vector<int>& gpus, size_t most);

  void start(const StageSpan& span, cudaStream_t stream);
  /// The last one that was started on the GPU.
  void end(int gpu, cudaStream_t stream);

  /// What a run left. Asks the GPUs for the differences of their clocks, when they are idle.
  [[nodiscard]] std::vector<StageSpan> spans() const;

 private:
  struct OfGpu {
    DeviceArray<unsigned long long> times;  // [stage][start, end]
    std::vector<StageSpan> spans;
  };
  std::map<int, OfGpu> gpus_;
  size_t most_;
};

}  // namespace afford::calibrate
