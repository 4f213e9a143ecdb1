#pragma once
// The time a serving engine adds to its kernels' roofs, and what of a roof its kernels reach.

#include <string_view>

#include "units.hpp"

namespace afford {

/// What differs by architecture; others than Blackwell take Hopper's.
template <class T>
struct ByArchitecture {
  T hopper{}, blackwell{};

  [[nodiscard]] const T& on(std::string_view architecture) const {
    return architecture == "blackwell" ? blackwell : hopper;
  }
};

/// Kernels in one layer of a decode step, whatever the engine: what its blocks need when nothing
/// but the commonest is fused.
struct LaunchedKernels {
  double gqa = 7;  // norm with residual, qkv, norm of q and k, rope with cache write, core, joining
                   // its parts, o; MFA alike
  double mla = 12;  // norm, q and kv down, their norms, q up, absorbed q, rope, cache write, core,
                    // joining, absorbed v, o, copy
  double indexer = 28;    // on top of mla
  double recurrent = 15;  // gated delta net, lightning, KDA
  double dense = 2;       // gate and up with activation, down
  double moe = 13;    // norm, router, top-k, sort, permutation, two GEMMs, activation, reduction
  double shared = 2;  // shared experts
  double quantise_gqa = 2, quantise_mla = 4, quantise_ffn = 2;  // inputs of quantised products
  double mla_blocks = 0;  // more, where MLA's products are FP8 with 128-blocks
};

/// What an engine does with prompts that interrupt decoding.
struct PromptRates {
  double dense = 0.55, experts = 0.50;  // share of the peak that a prompt's GEMMs reach, by FFN
  /// For each layer of a step that a prompt joins: it is launched kernel by kernel, outside the
  /// CUDA graphs.
  Seconds outside_graphs;
};

/// Standard deviations of the logarithm of measured over predicted time. Points of one series (one
/// engine, version, model, chip and parallelism) share most of their error, so it has two parts.
struct ErrorSpread {
  double between = 0;  // series
  double within = 0;   // points of one series
};

struct EngineTime {
  LaunchedKernels kernels;
  ByArchitecture<Seconds> kernel;  // of one kernel, launched and begun inside a CUDA graph
  Seconds step, request;           // between steps: fixed, and for each request of a replica
  // On the time a roof gives: dense products, grouped ones, grouped ones of weights that are
  // widened to BF16, cores.
  ByArchitecture<double> dense{1, 1}, grouped{1, 1}, narrow{1, 1}, core{1, 1};
  double all_reduce_latency = 1, all_reduce_rate = 1;  // on those of the shipped table
  // Of tokens to their experts and back inside a scale-up domain: for each doubling of the GPUs,
  // and the share of the fabric's rate.
  Seconds exchange_latency;
  ByArchitecture<double> exchange_share{1, 1};
  double routing = 0;  // exponent of the experts' popularity
  PromptRates prompts;
  ByArchitecture<ErrorSpread> spread;  // of series that were left out of the fit
};

}  // namespace afford
