#pragma once
// Prompts that interrupt decoding on the same server: what they add to the time of an output token.

#include "deploy/evaluate.hpp"
#include "deploy/interval.hpp"
#include "spec/hardware.hpp"

namespace afford {

/// Tokens of prompts that join a decode step at most: what vLLM and SGLang take by default on an
/// H100.
inline constexpr std::int64_t default_chunk = 8192;

/// A closed loop on one server: each request that ends is followed by a new one.
struct PromptLoad {
  double requests = 0;            // in flight on the whole server
  double prompt = 0, output = 0;  // tokens of each
  double cached = 0;              // tokens before the prompt whose cache is there
  std::int64_t gpus = 1;          // of the server
  std::int64_t tensor = 1;        // GPUs that share a replica of the attention
  std::int64_t expert_groups = 1, expert_tensor = 1;  // of GPUs, and GPUs that share an expert
};

/// On one engine of a layout, with no request and no prompt set.
[[nodiscard]] PromptLoad prompt_load(const Layout& layout);

/// What of a time stands on measured curves.
struct CurveShare {
  Seconds time, margin;  // margin: how much faster or slower it may be
  bool beyond = false;   // any of it outside the sizes measured
};

/// What a prompt takes, part by part: products, attention over all earlier tokens and the
/// recurrence of states, all-reduces, and what norms, quantisation and the permutation to experts
/// move. Attention is on the chip's measured curves where it has them, and so are products unless
/// the engine has shares of the peak of its own (prompt_products.hpp).
struct PromptTime {
  Seconds products, core, all_reduce, passes;
  CurveShare products_measured, core_measured;
  [[nodiscard]] Seconds total() const { return products + core + all_reduce + passes; }
};

/// Of one prompt on the whole server. `cached` tokens before it are attended over, and latents of
/// theirs expanded for each head once more.
[[nodiscard]] PromptTime prompt_parts(const Setting& setting, const HardwareSpec& chip,
                                      const PromptLoad& load);
[[nodiscard]] Seconds prompt_time(const Setting& setting, const HardwareSpec& chip,
                                  const PromptLoad& load);

/// Where nine of ten measured times of a prompt are: what stands on curves by the errors of points
/// left out of their fit; the rest by the spread of the engine's first tokens, which hold more than
/// a prompt, or where it has none within a factor of 1.7.
[[nodiscard]] TimeInterval prompt_interval(const PromptTime& parts, Seconds launches,
                                           const PromptRates& rates);

/// Time to send the cache of a prompt of setting.context over all NICs of an engine of
/// `accelerators` of a chip that has NICs.
[[nodiscard]] Seconds cache_sending(const HardwareSpec& chip, std::int64_t accelerators,
                                    const Setting& setting);

/// Time that a prompt takes besides its kernels, which are launched one by one: of the launches.
[[nodiscard]] Seconds prompt_launches(const Setting& setting);

/// From asking to the first token where no other prompt waits, but for the prompt's own time: half
/// of the decode step under way, the one that the prompt joins, the launches, and what the engine
/// takes besides (PromptRates::first_token, in steps).
[[nodiscard]] Seconds around_prompt(Seconds launches, double first_token, Seconds step);
[[nodiscard]] Seconds around_prompt(const Setting& setting, Seconds step);

/// Prompts that join a decode step on average: each of the other requests in flight brings one in
/// as many steps as it has output tokens.
[[nodiscard]] double joining(const PromptLoad& load);

/// Mean time that prompts add to a decode step that so many of them join, each for `prompt`: a step
/// that any joins runs outside the CUDA graphs, for `launches`; they come independently of one
/// another.
[[nodiscard]] Seconds interruption(double joining, Seconds prompt, Seconds launches);

}  // namespace afford
