#pragma once
// What a model costs one generated token: FLOPs and cache bytes as functions of the context.

#include <vector>

#include "spec/matrix.hpp"
#include "spec/model.hpp"
#include "units.hpp"

namespace afford {

/// Multi-token prediction: `drafts` tokens are guessed one after another and verified in one step,
/// each accepted with probability `acceptance` given that the one before was.
struct Speculation {
  int drafts = 0;
  double acceptance = 0;
};

/// Tokens a step yields on average: 1 + p + p^2 + ... + p^drafts.
[[nodiscard]] double tokens_per_step(const Speculation& speculation);

/// The core of `layers` equal attention layers: what one query token counts, and how often a
/// generated token pays for a query token and for a read of the cache.
struct AttentionTerms {
  double layers = 0;
  double queries = 1, reads = 1;
  Core core;
  Dtype cache = Dtype::fp8;
  bool draft = false;
};

/// Products that run in another format than the model's linear_compute, or than its ffn_compute.
struct OwnProducts {
  Dtype compute = Dtype::bf16;
  FlopsPerToken linear, ffn;
};

/// All a price needs to know of a model: compiled once, evaluated at any context in nanoseconds.
struct DecodeTerms {
  std::vector<AttentionTerms> attention;
  FlopsPerToken linear, ffn;     // projections (exact: router and LM head too); FFN
  std::vector<OwnProducts> own;  // what of these runs in formats of its own
};

/// Terms of `model` with its own formats. With speculation, a step runs drafts + 1 tokens through
/// every layer, reads the cache once, and runs each draft through one more layer of the MTP kind
/// (the main kind where the model has no MTP module); all is divided by tokens_per_step.
[[nodiscard]] DecodeTerms decode_terms(const ModelSpec& model, Convention convention,
                                       const Speculation& speculation);

struct CoreCount {
  FlopsPerToken flops;
  BytesPerToken bytes;
};

/// All layers of one group at a context.
[[nodiscard]] CoreCount core_at(const AttentionTerms& terms, double context);

/// The columns of the report's Tables 2 and 3.
struct DecodeCount {
  BytesPerToken kv;
  FlopsPerToken attention, linear, ffn;
};
[[nodiscard]] DecodeCount count_at(const DecodeTerms& terms, double context);

/// FLOPs per byte of the attention core over the model's own layers (drafts left out).
[[nodiscard]] FlopsPerByte attention_intensity(const DecodeTerms& terms, double context);

}  // namespace afford
