#pragma once
#include "spec/attention/convolved_state.hpp"
#include "spec/keys.hpp"
#include "spec/limits.hpp"

namespace afford {

/// Mamba-2 (state space duality): a head_dim x state_dim state a head, behind a short convolution.
/// The heads of a group share their B and C, as query heads share a key and a value.
struct Mamba2 {
  std::int64_t heads = 0, head_dim = 0, state_dim = 0, groups = 0, conv_kernel = 0;

  static constexpr std::string_view kind = "mamba2";
  static constexpr auto keys() {
    return std::to_array<Key<Mamba2>>(
        {keys::whole<&Mamba2::heads>("heads", limits::heads),
         keys::whole<&Mamba2::head_dim>("head_dim", limits::head_dim),
         keys::whole<&Mamba2::state_dim>("state_dim", limits::head_dim),
         keys::whole<&Mamba2::groups>("groups", limits::heads),
         keys::whole<&Mamba2::conv_kernel>("conv_kernel", limits::conv_kernel),
         keys::format<Mamba2>(keys::state)});
  }
};

[[nodiscard]] inline std::optional<Complaint> complaint(const Mamba2& a) {
  if (a.heads % a.groups == 0) return std::nullopt;
  return Complaint{
      "groups", fmt::format("heads ({}) must be a multiple of groups, got {}", a.heads, a.groups)};
}

/// S = exp(dt*A)*S + (dt*x) B^T; y = S C + D*x, on a state of heads*head_dim*state_dim elements:
/// decay, outer product and its sum, product and sum of the output are 5 FLOPs an element. x, B and
/// C pass the convolution. Dao and Gu, arXiv 2405.21060, Section 7 and Listing 1. One in_proj makes
/// the gate z, x, B, C and dt; a gated norm stands before out_proj; A, D and the bias of dt are one
/// number a head, the convolution has a bias (state-spaces/mamba, mamba_ssm/modules/mamba2.py).
[[nodiscard]] inline AttentionCount count(const Mamba2& a, std::int64_t hidden, Convention) {
  const std::int64_t inner = a.heads * a.head_dim, shared = a.groups * a.state_dim;
  const ConvolvedState state{.heads = a.heads,
                             .rows = a.head_dim,
                             .columns = a.state_dim,
                             .channels = inner + 2 * shared,
                             .kernel = a.conv_kernel,
                             .flops_per_element = 5};
  return {
      .projections = {{"z", hidden, inner, Role::from_hidden, Split::query_heads},
                      {"x", hidden, inner, Role::from_hidden, Split::query_heads},
                      {"B", hidden, shared, Role::from_hidden, Split::groups},
                      {"C", hidden, shared, Role::from_hidden, Split::groups},
                      {"dt", hidden, a.heads, Role::from_hidden, Split::query_heads},
                      {"out", inner, hidden, Role::output, Split::query_heads}},
      .core = core_of(state),
      .query_rows = 1,
      .kv_heads = real(a.heads),
      .curve = OperationClass::none,
      .core_values = 2 * real(inner + shared),
      .core_outputs = real(inner),
      .groups = real(a.groups),
      .norm_weights = tap_weights(state) + real(state.channels) + 3 * real(a.heads) + real(inner),
      .core_formula = core_formula(state),
      .cache_formula = cache_formula(state)};
}

[[nodiscard]] inline std::string text(const Mamba2& a) {
  return fmt::format("Mamba-2 {} x {} x {}", a.heads, a.head_dim, a.state_dim);
}

}  // namespace afford
