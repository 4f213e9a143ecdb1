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
  double core = 3;  // a core that AFD cut from its projections: waiting for queries, core, sending.
                    // What the projections' side no longer runs it takes to send and to wait.
  double indexer = 28;    // on top of mla
  double recurrent = 15;  // gated delta net, lightning, KDA
  double dense = 2;       // gate and up with activation, down
  double router = 5;      // of a mixture of experts, beside the attention: norm, router, top-k,
                          // packing, combining
  double moe = 8;     // beside the experts: sort, permutation, two GEMMs, activation, reduction ...
  double shared = 2;  // shared experts
  double quantise_gqa = 2, quantise_mla = 4, quantise_ffn = 2;  // inputs of quantised products
  double mla_blocks = 0;   // more, where MLA's products are FP8 with 128-blocks
  double mxfp4_fused = 0;  // fewer, where experts in MXFP4 are widened: one kernel sorts, gathers,
                           // multiplies and activates
};

/// Standard deviations of the logarithm of measured over predicted time. Points of one series (one
/// engine, version, model, chip and parallelism) share most of their error, so it has two parts.
struct ErrorSpread {
  double between = 0;     // series
  double within = 0;      // points of one series
  bool estimate = false;  // not from series left out
};

/// What an engine does with prompts that interrupt decoding.
struct PromptRates {
  double dense = 0.55, experts = 0.50;  // share of the peak that a prompt's GEMMs reach, by FFN
  /// For each layer of a step that a prompt joins: it is launched kernel by kernel, outside the
  /// CUDA graphs.
  Seconds outside_graphs;
  /// Time from asking to the first token beside the prompt, its launches and the steps it meets
  /// (prompts.hpp), in decode steps: client, tokenizer, scheduler, a pass that the host holds up,
  /// the stream back.
  double first_token = 0;
  ErrorSpread spread;  // of times to the first token
};

/// Dispatch and combine over NICs, as DeepEP's low-latency kernels do: what stays in a server goes
/// over the scale-up fabric at the same time.
struct NetworkExchange {
  Seconds latency;
  double rate = 0.86, scale_up = 0.80;  // shares of the NICs' and the fabric's rates
  double balance = 1;  // traffic and experts of the busiest rank over the mean, experts rebalanced
};

/// How an engine spreads the experts of AFD's FFN pool where nothing else is said: each on one
/// accelerator, or cut over those of an instance.
struct FfnPool {
  bool expert_parallel = false;
};

/// Micro-batches of AFD between the pools: the latency of a message, and whether they travel beside
/// the work of others or in line with their own.
struct Transfers {
  Seconds latency{10e-6};
  bool in_line = false;
};

struct EngineTime {
  LaunchedKernels kernels;
  /// Of one kernel, launched and begun inside a CUDA graph. Zero: no launches are counted, every
  /// operation pays its own starts.
  ByArchitecture<Seconds> kernel;
  Seconds step, request;  // between steps: fixed, and for each request of a replica
  Seconds draft;          // between steps, for each drafted token
  // On the time a roof or a curve gives: dense products, grouped ones, grouped ones of weights that
  // are widened to BF16, cores.
  ByArchitecture<double> dense{1, 1}, grouped{1, 1}, narrow{1, 1}, core{1, 1};
  double all_reduce_latency = 1, all_reduce_rate = 1;  // on those of the shipped table
  // Of tokens to their experts and back inside a scale-up domain: for each doubling of the GPUs,
  // and the share of the fabric's rate.
  Seconds exchange_latency;
  ByArchitecture<double> exchange_share{1, 1};
  NetworkExchange over_network;
  Transfers transfers;
  FfnPool ffn_pool;
  double routing = 0;          // exponent of the experts' popularity
  bool routing_noise = false;  // the busiest ranks of few tokens have more than the mean by chance
  PromptRates prompts;
  ByArchitecture<ErrorSpread> spread;  // of series that were left out of the fit
};

}  // namespace afford
