#pragma once
#include "spec/attention/convolved_state.hpp"
#include "spec/keys.hpp"
#include "spec/limits.hpp"

namespace afford {

/// Kimi delta attention: a delta net that decays each key channel by itself. Its output gate is a
/// full matrix or goes through head_dim.
struct Kda {
  std::int64_t heads = 0, head_dim = 0, conv_kernel = 0;
  bool full_rank_gate = false;

  static constexpr std::string_view kind = "kda";
  static constexpr auto keys() {
    return std::to_array<Key<Kda>>(
        {keys::whole<&Kda::heads>("heads", limits::heads),
         keys::whole<&Kda::head_dim>("head_dim", limits::head_dim),
         keys::whole<&Kda::conv_kernel>("conv_kernel", limits::conv_kernel),
         keys::flag<&Kda::full_rank_gate>("full_rank_gate"), keys::format<Kda>(keys::state)});
  }
};

/// Decay per key channel through a rank of head_dim, output gate likewise or full. Kimi Linear
/// report, arXiv 2510.26692, Section 3.
[[nodiscard]] inline AttentionCount count(const Kda& a, std::int64_t hidden, Convention) {
  const std::int64_t width = a.heads * a.head_dim;
  const ConvolvedState state{.heads = a.heads,
                             .rows = a.head_dim,
                             .columns = a.head_dim,
                             .channels = 3 * width,
                             .kernel = a.conv_kernel,
                             .flops_per_element = delta_flops_per_element};
  AttentionCount result{
      .projections = {{"q", hidden, width, Role::from_hidden, Split::query_heads},
                      {"k", hidden, width, Role::from_hidden, Split::kv_heads},
                      {"v", hidden, width, Role::from_hidden, Split::kv_heads},
                      {"decay_down", hidden, a.head_dim, Role::from_hidden, Split::whole},
                      {"decay_up", a.head_dim, width, Role::from_rank, Split::query_heads},
                      {"beta", hidden, a.heads, Role::from_hidden, Split::query_heads}},
      .core = core_of(state),
      .query_rows = 1,
      .kv_heads = real(a.heads),
      .curve = OperationClass::none,
      .core_values = 4 * real(width),
      .core_outputs = real(width),
      .norm_weights = tap_weights(state) + real(a.head_dim),
      .core_formula = core_formula(state),
      .cache_formula = cache_formula(state)};
  if (a.full_rank_gate) {
    result.projections.push_back({"gate", hidden, width, Role::from_hidden, Split::query_heads});
  } else {
    result.projections.push_back(
        {"gate_down", hidden, a.head_dim, Role::from_hidden, Split::whole});
    result.projections.push_back(
        {"gate_up", a.head_dim, width, Role::from_rank, Split::query_heads});
  }
  result.projections.push_back({"o", width, hidden, Role::output, Split::query_heads});
  return result;
}

[[nodiscard]] inline std::string text(const Kda& a) {
  return fmt::format("KDA {} x {}^2", a.heads, a.head_dim);
}

}  // namespace afford
