#pragma once
#include "spec/attention/convolved_state.hpp"
#include "spec/keys.hpp"
#include "spec/limits.hpp"

namespace afford {

/// Mamba (the first, a selective state space): every channel has a state of its own, of state_dim
/// numbers, behind a short convolution. Its step comes from a projection through dt_rank.
struct Mamba1 {
  std::int64_t channels = 0, state_dim = 0, dt_rank = 0, conv_kernel = 0;

  static constexpr std::string_view kind = "mamba1";
  static constexpr auto keys() {
    return std::to_array<Key<Mamba1>>(
        {keys::whole<&Mamba1::channels>("channels", limits::width),
         keys::whole<&Mamba1::state_dim>("state_dim", limits::head_dim),
         keys::whole<&Mamba1::dt_rank>("dt_rank", limits::width),
         keys::whole<&Mamba1::conv_kernel>("conv_kernel", limits::conv_kernel),
         keys::format<Mamba1>(keys::state)});
  }
};

/// S = exp(dt*A)*S + (dt*x) B^T; y = S C + D*x, on a state of channels*state_dim elements. A
/// differs in every element, so that the product with dt and its exponential count, too: 2, decay
/// 1, outer product and its sum 2, product and sum of the output 2 are 7 FLOPs an element. B, C and
/// dt come from x behind the convolution, dt through dt_rank. Gu and Dao, arXiv 2312.00752,
/// Algorithm 2; A, D, the bias of dt and the convolution with its bias: state-spaces/mamba,
/// mamba_ssm/modules/mamba_simple.py. Under tensor parallelism the channels split; the all-reduce
/// of the dt_rank + 2*state_dim sums is left out.
[[nodiscard]] inline AttentionCount count(const Mamba1& a, std::int64_t hidden, Convention) {
  const ConvolvedState state{.heads = a.channels,
                             .rows = 1,
                             .columns = a.state_dim,
                             .channels = a.channels,
                             .kernel = a.conv_kernel,
                             .flops_per_element = 7};
  const std::int64_t parameters = a.dt_rank + 2 * a.state_dim;
  return {.projections = {{"z", hidden, a.channels, Role::from_hidden, Split::query_heads},
                          {"x", hidden, a.channels, Role::from_hidden, Split::query_heads},
                          {"B C dt", a.channels, parameters, Role::from_rank, Split::query_heads},
                          {"dt_up", a.dt_rank, a.channels, Role::from_rank, Split::query_heads},
                          {"out", a.channels, hidden, Role::output, Split::query_heads}},
          .core = core_of(state),
          .query_rows = 1,
          .kv_heads = real(a.channels),
          .curve = OperationClass::none,
          .core_values = 3 * real(a.channels) + 2 * real(a.state_dim),
          .core_outputs = real(a.channels),
          .norm_weights =
              tap_weights(state) + 3 * real(a.channels) + real(a.channels) * real(a.state_dim),
          .core_formula = core_formula(state),
          .cache_formula = cache_formula(state)};
}

[[nodiscard]] inline std::string text(const Mamba1& a) {
  return fmt::format("Mamba {} x {}", a.channels, a.state_dim);
}

}  // namespace afford
