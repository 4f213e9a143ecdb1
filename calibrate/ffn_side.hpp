#pragma once
// The FFN side of a decode layer on one GPU: tokens packed for the experts it holds, the experts
// with the shared ones among them, and the weighted sum back to the tokens' owners.

#include <memory>
#include <vector>

#include "attention_side.hpp"
#include "moe.hpp"

namespace afford::calibrate {

struct FfnBatch {
  int tokens = 0, owners = 1;  // of one micro-batch: of all attention GPUs, and how many those are
  int micro_batches = 1, sets = 2;
  LocalExperts experts;
  unsigned seed = 1;
};

class FfnSide {
 public:
  /// On the device of this thread. Throws CudaError, also when memory is short.
  FfnSide(const DecodeLayer& layer, const FfnBatch& batch);

  [[nodiscard]] Inbox inbox(int micro_batch) const;
  /// Where each owner wants this GPU's partial results: [micro-batch][owner].
  void return_to(std::vector<std::vector<__nv_bfloat16*>> owners) { owners_ = std::move(owners); }

  /// Plans a layer of a micro-batch for the tokens in its inbox, which the calls after it must find
  /// routed alike (mismatches()). Synchronises.
  void plan(int layer, int micro_batch);
  void enqueue(cudaStream_t stream, int layer, int micro_batch);
  /// The experts alone, on tokens packed before.
  void enqueue_core(cudaStream_t stream, int layer, int micro_batch);

  /// Experts whose number of tokens was not the planned one, over all calls.
  [[nodiscard]] unsigned mismatches() const { return mismatches_.to_host()[0]; }
  /// Copies of the experts in the mean over the plans, and of the busiest.
  struct Load {
    double active = 0, busiest = 0, copies = 0;
  };
  [[nodiscard]] Load load() const;

 private:
  friend class LayerReference;

  struct Planned {
    int plan = 0;
    DeviceArray<int> counts;
    std::vector<int> tokens;
  };

  [[nodiscard]] const Planned& planned(int layer, int micro_batch) const {
    return plans_[static_cast<size_t>(layer) * batch_.micro_batches + micro_batch];
  }

  DecodeLayer layer_;
  FfnBatch batch_;
  std::unique_ptr<Experts> experts_;
  DeviceArray<unsigned char> hidden_;  // [micro-batch][token][hidden]
  DeviceArray<float> hidden_scales_, weights_;
  DeviceArray<int> ids_, places_;
  DeviceArray<unsigned> mismatches_;
  std::vector<std::vector<__nv_bfloat16*>> owners_;
  std::vector<Planned> plans_;  // [layer][micro-batch]
};

}  // namespace afford::calibrate
