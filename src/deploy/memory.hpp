#pragma once
// What an accelerator must hold.

#include "deploy/evaluate.hpp"

namespace afford {

/// Cache or state of one request over all layers (and the MTP module in use), as sent to another
/// server.
[[nodiscard]] Bytes cache_of_request(const Setting& setting, double tensor = 1);

/// Accelerators that share the heads of a request, and those that split its tokens.
struct CacheWays {
  std::int64_t tensor = 1, context = 1;
};
/// What it takes of the memory of one accelerator where `engine` serves; layers of fewer KV heads
/// than `tensor` are held more than once, and the engine's pages round it up (paged_cache()).
[[nodiscard]] Bytes cache_per_request(const Setting& setting, const Engine& engine,
                                      const CacheWays& ways = {});

/// Attention-side weights of one accelerator: projections (the output maps over `output` ways, all
/// over `tensor` as far as they split), routers; embedding, LM head and weights only held over
/// `vocabulary` ways, both BF16. With drafts the MTP module is one more layer of the main kind.
/// `stage`: the share of each kind's layers that a pipeline stage has; of the sets of weights that
/// layers share, a stage holds each that one of its layers uses, whole.
struct WeightWays {
  std::int64_t tensor = 1, output = 1, vocabulary = 1;
  double stage = 1;
};
[[nodiscard]] Bytes attention_weights(const Setting& setting, const WeightWays& ways);
/// Of these the routers, embedding and LM head, and what is only held.
[[nodiscard]] Bytes router_weights(const Setting& setting, double stage = 1);
[[nodiscard]] Bytes vocabulary_weights(const Setting& setting, std::int64_t ways);
[[nodiscard]] Bytes held_weights(const Setting& setting, std::int64_t ways);

/// FFN weights of one accelerator, the MTP module's included: routed experts sharded `tensor` ways
/// and split over `groups` groups; shared experts and dense layers, of which every group has all,
/// sharded by ways of their own.
struct FfnWays {
  std::int64_t tensor = 1, groups = 1, shared = 1, dense = 1;
  double stage = 1;
};
[[nodiscard]] Bytes ffn_weights(const Setting& setting, const FfnWays& ways);
/// Of these all shared experts, or all dense layers, sharded `ways` ways.
[[nodiscard]] Bytes mlp_weights(const Setting& setting, MlpRole role, double ways);
/// The same `tensor` ways for all.
[[nodiscard]] Bytes ffn_weights(const Setting& setting, std::int64_t tensor, std::int64_t groups);

/// Those of a co-located engine. Shared experts are whole beside an exchange of tokens.
[[nodiscard]] FfnWays ffn_ways(const Layout& layout);

/// What an engine fills of an accelerator, `weights` included, and of what: its share of the memory
/// less its reserve (vLLM, SGLang) or, behind the weights, its share of what they and the reserve
/// leave (TensorRT-LLM).
struct UsableMemory {
  Bytes capacity, whole;
};
[[nodiscard]] UsableMemory usable_memory_of(const Engine& engine, const HardwareSpec& chip,
                                            Bytes weights);

/// The most requests of a micro-batch on one accelerator, when `fixed` bytes and `each` a request
/// must fit.
[[nodiscard]] std::int64_t most_requests(Bytes capacity, Bytes fixed, Bytes each);

}  // namespace afford
