#pragma once
// The attention side of a decode layer on one GPU: residual sum and norm, projections, attention on
// its caches, output projection, norm, router, and the dispatch of tokens to the FFN side.

#include <memory>
#include <vector>

#include "attention.hpp"
#include "decode_layer.hpp"
#include "dense.hpp"
#include "dense_tuning.hpp"
#include "device.hpp"
#include "glue.hpp"

namespace afford::calibrate {

/// Where tokens of one micro-batch arrive on an FFN GPU: rows of all attention GPUs.
struct Inbox {
  RowTarget hidden;  // [row][hidden], scales [row][hidden / 128]
  int* ids = nullptr;
  float* weights = nullptr;  // [row][active]
};

struct SideBatch {
  std::vector<int> lengths;  // of one micro-batch's requests on this GPU, the newest token included
  int micro_batches = 1;
  int sets = 2;      // layers whose weights and caches there are; layer l uses set l % sets
  int partials = 1;  // FFN GPUs that send their part of a result back
  unsigned seed = 1;

  [[nodiscard]] int requests() const { return static_cast<int>(lengths.size()); }
};

class AttentionSide {
 public:
  /// On the device of this thread. Throws CudaError, also when memory is short.
  AttentionSide(DenseTuning& tuning, const DecodeLayer& layer, const SideBatch& batch);

  /// Each micro-batch's inboxes, already at this GPU's first row there.
  void send_to(std::vector<std::vector<Inbox>> inboxes) { inboxes_ = std::move(inboxes); }

  /// Layer `layer` of a micro-batch; layer 0 starts from the embedding.
  void enqueue(cudaStream_t stream, int layer, int micro_batch);
  /// Attention alone, without anything around it.
  void enqueue_core(cudaStream_t stream, int layer, int micro_batch);

  /// Partial results of a micro-batch, [FFN GPU][request][hidden].
  [[nodiscard]] __nv_bfloat16* partials(int micro_batch) const;

  // What the last layer of a micro-batch left behind, for the check.
  struct State {
    const __nv_bfloat16 *in, *attended;  // [request][hidden]: before the layer, after its attention
  };
  [[nodiscard]] State state(int micro_batch) const;

 private:
  friend class LayerReference;

  [[nodiscard]] DenseCase projection(int n, int k, unsigned seed) const;
  [[nodiscard]] int set_of(int layer) const { return layer % batch_.sets; }
  [[nodiscard]] int copy_of(int layer, int micro_batch) const {
    return set_of(layer) * batch_.micro_batches + micro_batch;
  }
  void make_projections(DenseTuning& tuning);
  void make_attention_kernel();
  void fill();
  void project(cudaStream_t stream, int layer, int micro_batch);
  void rotate(cudaStream_t stream, int layer, int micro_batch);
  void absorb(cudaStream_t stream, int layer, int micro_batch);
  void output(cudaStream_t stream, int layer, int micro_batch);
  void dispatch(cudaStream_t stream, int layer, int micro_batch);
  [[nodiscard]] NormCall norm_into(Dense& product, int set) const;

  DecodeLayer layer_;
  SideBatch batch_;
  std::unique_ptr<Dense> qkv_, q_up_, key_up_, value_up_, out_, router_;
  std::unique_ptr<DecodeAttention> attention_;
  std::vector<std::vector<Inbox>> inboxes_;
  DeviceArray<__nv_bfloat16> embedding_, in_, attended_, partial_, routed_;  // [micro-batch]...
  DeviceArray<__nv_bfloat16> gains_, query_gain_, latent_gain_;
  DeviceArray<float2> turns_;
  DeviceArray<int> newest_;
};

}  // namespace afford::calibrate
