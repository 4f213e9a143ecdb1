#pragma once
#include "spec/attention/convolved_state.hpp"
#include "spec/keys.hpp"
#include "spec/limits.hpp"

namespace afford {

/// Gated delta net (Qwen3-Next): a key_dim x value_dim state per value head, behind a short
/// convolution.
struct GatedDeltaNet {
  std::int64_t key_heads = 0, value_heads = 0, key_dim = 0, value_dim = 0, conv_kernel = 0;

  static constexpr std::string_view kind = "gated_delta_net";
  static constexpr auto keys() {
    using G = GatedDeltaNet;
    return std::to_array<Key<G>>({keys::whole<&G::key_heads>("key_heads", limits::heads),
                                  keys::whole<&G::value_heads>("value_heads", limits::heads),
                                  keys::whole<&G::key_dim>("key_dim", limits::head_dim),
                                  keys::whole<&G::value_dim>("value_dim", limits::head_dim),
                                  keys::whole<&G::conv_kernel>("conv_kernel", limits::conv_kernel),
                                  keys::format<G>(keys::state)});
  }
};

[[nodiscard]] inline std::optional<Complaint> complaint(const GatedDeltaNet& a) {
  if (a.value_heads % a.key_heads == 0) return std::nullopt;
  return Complaint{"key_heads",
                   fmt::format("value_heads ({}) must be a multiple of key_heads, got {}",
                               a.value_heads, a.key_heads)};
}

/// As in Qwen3-Next: q, k, v and an output gate z in one projection, beta and decay per head.
[[nodiscard]] inline AttentionCount count(const GatedDeltaNet& a, std::int64_t hidden, Convention) {
  const std::int64_t key = a.key_heads * a.key_dim, value = a.value_heads * a.value_dim;
  const ConvolvedState state{.heads = a.value_heads,
                             .rows = a.key_dim,
                             .columns = a.value_dim,
                             .channels = 2 * key + value,
                             .kernel = a.conv_kernel,
                             .flops_per_element = delta_flops_per_element};
  return {.projections = {{"q", hidden, key, Role::from_hidden, Split::query_heads},
                          {"k", hidden, key, Role::from_hidden, Split::kv_heads},
                          {"v", hidden, value, Role::from_hidden, Split::kv_heads},
                          {"gate", hidden, value, Role::from_hidden, Split::query_heads},
                          {"beta_decay", hidden, 2 * a.value_heads, Role::from_hidden,
                           Split::query_heads},
                          {"o", value, hidden, Role::output, Split::query_heads}},
          .core = core_of(state),
          .query_rows = 1,
          .kv_heads = real(a.value_heads),
          .curve = OperationClass::none,
          .core_values = 2 * real(key + value),
          .core_outputs = real(value),
          .norm_weights = tap_weights(state) + real(a.value_dim),
          .core_formula = core_formula(state),
          .cache_formula = cache_formula(state)};
}

[[nodiscard]] inline std::string text(const GatedDeltaNet& a) {
  return fmt::format("GDN {}/{} x {} x {}", a.value_heads, a.key_heads, a.key_dim, a.value_dim);
}

}  // namespace afford
