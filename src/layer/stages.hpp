#pragma once
// Finite-batch operations of one layer on one accelerator: the attention side, the FFN side and the
// network between them. Pure functions; sizes are per accelerator unless said otherwise.

#include "count/core.hpp"
#include "count/ffn.hpp"
#include "kernels/op.hpp"
#include "layer/experts.hpp"
#include "spec/model.hpp"

namespace afford {

/// Counts of one layer kind that do not depend on the deployment; made once for each model.
struct LayerShape {
  AttentionCount attention;
  FfnCount ffn;
  Dtype cache = Dtype::fp8;
  Dtype ffn_weights = Dtype::fp8, shared_weights = Dtype::fp8;
  std::int64_t layers = 1;
};

/// Shapes of every layer kind of a model (exact counting).
[[nodiscard]] std::vector<LayerShape> layer_shapes(const ModelSpec& model);

/// Ways a projection is split in a tensor-parallel group of accelerators.
[[nodiscard]] double tensor_ways(const Matrix& projection, const AttentionCount& attention,
                                 std::int64_t group);

/// How the attention of an instance is spread over its accelerators.
enum class AttentionSplit {
  replicated,     // data parallel, every projection on every accelerator
  shared_output,  // data parallel, the output maps sharded over the instance (the report's system)
  tensor          // heads sharded, all-reduce at the end
};

/// Which collectives hide behind other micro-batches' work. The report's system overlaps the
/// SM-free all-gather and runs the reduce-scatter in line with the GEMMs.
enum class Overlap { none, all_gather, all };

struct AttentionWork {
  double requests = 0;      // per accelerator; under `tensor` those of the whole instance
  double query_tokens = 1;  // per request: drafts + 1
  double context = 0;
  std::int64_t instance = 1;  // accelerators
  AttentionSplit split = AttentionSplit::replicated;
  Overlap overlap = Overlap::all_gather;
  double partial_results =
      0;  // FFN instances whose BF16 partial sums come back (0: none to combine)
  bool router = false;
  std::int64_t experts = 0;
};

/// Norms, projections, core attention, output projection, router, packing and combine.
[[nodiscard]] OpList attention_ops(const ModelSpec& model, const LayerShape& shape,
                                   const AttentionWork& work, const Machine& machine);
/// attention_ops().time(), without the list.
[[nodiscard]] Seconds attention_time(const ModelSpec& model, const LayerShape& shape,
                                     const AttentionWork& work, const Machine& machine);

/// Shared experts run inside the grouped GEMM's kernels, or are left to shared_ops().
enum class SharedExperts { fused, apart };

struct FfnWork {
  double tokens = 0;          // that enter the instance (or, co-located, the accelerator's group)
  std::int64_t instance = 1;  // accelerators that gather and scatter together
  std::int64_t tensor = 1;    // ways one expert is sharded
  std::int64_t groups = 1;    // expert groups (EP ways) over all instances
  double total_tokens = 0;    // that reach the groups together, for the routing
  std::int64_t redundant = 0;
  const Routing* routing = nullptr;
  const Placement* placement = nullptr;  // that of the routing, where it is known; null: made anew
  Overlap overlap = Overlap::all_gather;
  bool collectives = true;  // all-gather in, reduce-scatter out
  SharedExperts shared = SharedExperts::fused;
};

/// All-gather, gate-up GEMM, activation, down GEMM, shared experts, reduce-scatter of the busiest
/// group.
[[nodiscard]] OpList ffn_ops(const ModelSpec& model, const LayerShape& shape, const FfnWork& work,
                             const Machine& machine);
[[nodiscard]] Seconds ffn_time(const ModelSpec& model, const LayerShape& shape, const FfnWork& work,
                               const Machine& machine);

/// Shared experts of one MoE layer on their own, `tokens` rows, sharded `tensor` ways.
[[nodiscard]] OpList shared_ops(const ModelSpec& model, const LayerShape& shape, double tokens,
                                std::int64_t tensor, const Machine& machine);

/// LM head (vocabulary sharded over `instance`), embedding rows and sampling of one micro-batch.
[[nodiscard]] OpList head_ops(const ModelSpec& model, double tokens, std::int64_t instance,
                              const Machine& machine);
[[nodiscard]] Seconds head_time(const ModelSpec& model, double tokens, std::int64_t instance,
                                const Machine& machine);

/// One token's hidden state on the wire: FP8 with a 4-byte scale for 128 elements and its expert
/// ids and weights on the way out; BF16 on the way back.
[[nodiscard]] Bytes dispatch_bytes(const ModelSpec& model, const LayerShape& shape);
[[nodiscard]] Bytes combine_bytes(const ModelSpec& model);

/// One kernel by itself, as tables of measurements list it, on the same formulas as in a stage.
struct Kernel {
  enum class Kind { attention, experts, gate_up, down, dense };
  Kind kind = Kind::dense;
  AttentionShape attention;
  Dtype compute = Dtype::bf16, storage = Dtype::bf16;  // storage: of the cache, or of the weights
  double requests = 0, context = 0;                    // attention
  double experts = 0, tokens = 0;                      // with tokens; routed copies in all
  double hidden = 0, intermediate = 0;                 // of the experts, as sharded
  double m = 0, n = 0, k = 0;                          // dense
};
[[nodiscard]] OpList kernel_ops(const Kernel& kernel, const Machine& machine);

}  // namespace afford
