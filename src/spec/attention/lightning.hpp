#pragma once
#include <fmt/core.h>

#include "spec/attention/count.hpp"
#include "spec/keys.hpp"
#include "spec/limits.hpp"

namespace afford {

/// Lightning (linear) attention (MiniMax): a head_dim x head_dim state per head instead of a KV
/// cache.
struct Lightning {
  std::int64_t heads = 0, head_dim = 0;

  static constexpr std::string_view kind = "lightning";
  static constexpr auto keys() {
    return std::to_array<Key<Lightning>>(
        {keys::whole<&Lightning::heads>("heads", limits::heads),
         keys::whole<&Lightning::head_dim>("head_dim", limits::head_dim),
         keys::format<Lightning>(keys::state)});
  }
};

/// S_t = lambda*S_{t-1} + k v^T, o = q S_t, on a state of heads*head_dim^2 elements that is read
/// and written once a token whatever the context. That is 5 FLOPs an element (decay, outer product,
/// sum; product and sum of the output); the report's cells come out with 10.
[[nodiscard]] inline AttentionCount count(const Lightning& a, std::int64_t hidden,
                                          Convention convention) {
  const std::int64_t width = a.heads * a.head_dim;
  const double state = real(width) * real(a.head_dim);
  const int flops_per_element = convention == Convention::paper ? 10 : 5;
  AttentionCount result{
      .projections = {{"q", hidden, width, Role::from_hidden, Split::query_heads},
                      {"k", hidden, width, Role::from_hidden, Split::kv_heads},
                      {"v", hidden, width, Role::from_hidden, Split::kv_heads},
                      {"gate", hidden, width, Role::from_hidden, Split::query_heads},
                      {"o", width, hidden, Role::output, Split::query_heads}},
      .query_rows = 1,
      .kv_heads = real(a.heads),
      .curve = OperationClass::none,
      .core_values = 4 * real(width),
      .core_outputs = real(width),
      .norm_weights = real(width),
      .core_formula =
          fmt::format("{} x {} heads x {} head_dim^2", flops_per_element, a.heads, a.head_dim),
      .cache_formula =
          fmt::format("2 (read, write) x {} heads x {} head_dim^2", a.heads, a.head_dim)};
  result.core.state = {.elements = state, .flops = flops_per_element * state};
  return result;
}

[[nodiscard]] inline std::string text(const Lightning& a) {
  return fmt::format("Lightning {} x {}^2", a.heads, a.head_dim);
}

}  // namespace afford
