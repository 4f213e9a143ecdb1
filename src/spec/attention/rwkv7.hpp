#pragma once
#include <fmt/core.h>

#include "spec/attention/count.hpp"
#include "spec/keys.hpp"
#include "spec/limits.hpp"

namespace afford {

/// RWKV-7's time mixing: a head_dim x head_dim state a head under a delta rule whose decay, rate,
/// value residual and gate are low-rank products of the token.
struct Rwkv7 {
  std::int64_t heads = 0, head_dim = 0;
  std::int64_t decay_rank = 0, rate_rank = 0, value_rank = 0, gate_rank = 0;

  static constexpr std::string_view kind = "rwkv7";
  static constexpr auto keys() {
    return std::to_array<Key<Rwkv7>>({keys::whole<&Rwkv7::heads>("heads", limits::heads),
                                      keys::whole<&Rwkv7::head_dim>("head_dim", limits::head_dim),
                                      keys::whole<&Rwkv7::decay_rank>("decay_rank", limits::width),
                                      keys::whole<&Rwkv7::rate_rank>("rate_rank", limits::width),
                                      keys::whole<&Rwkv7::value_rank>("value_rank", limits::width),
                                      keys::whole<&Rwkv7::gate_rank>("gate_rank", limits::width),
                                      keys::format<Rwkv7>(keys::state)});
  }
};

/// S = S*diag(w) + (S a) b^T + v k^T; o = S r, on a state of heads*head_dim^2 elements: decay,
/// product and sum of S a, outer product and its sum twice, product and sum of the output are 9
/// FLOPs an element. RWKV-7, arXiv 2503.14456, equations 13 to 22. Both the time mixing and the FFN
/// behind it (channel mixing) mix a token with the one before, whose hidden states are kept in
/// BF16. Vectors: six mixes, bases of decay, rate and value, k_k, k_a, r_k, the norm behind the
/// core, the biases of the layer's two norms, and the FFN's mix. The first layer has no value
/// residual; that is left in.
[[nodiscard]] inline AttentionCount count(const Rwkv7& a, std::int64_t hidden, Convention) {
  constexpr int flops_per_element = 9, vectors = 6 + 3 + 3 + 2 + 2 + 1;
  const std::int64_t width = a.heads * a.head_dim;
  const double state = real(width) * real(a.head_dim);
  AttentionCount result{
      .projections = {{"r", hidden, width, Role::from_hidden, Split::query_heads},
                      {"k", hidden, width, Role::from_hidden, Split::query_heads},
                      {"v", hidden, width, Role::from_hidden, Split::query_heads}},
      .query_rows = 1,
      .kv_heads = real(a.heads),
      .curve = OperationClass::none,
      .core_values = 7 * real(width),  // r, w, k, v, a, b in; the result out
      .core_outputs = real(width),
      .norm_weights = vectors * real(hidden),
      .core_formula =
          fmt::format("{} x {} heads x {} head_dim^2", flops_per_element, a.heads, a.head_dim),
      .cache_formula =
          fmt::format("2 (read, write) x {} heads x {} head_dim^2, + 2 x {} hidden in bf16,",
                      a.heads, a.head_dim, hidden)};
  const std::pair<std::string_view, std::int64_t> ranks[] = {{"decay", a.decay_rank},
                                                             {"rate", a.rate_rank},
                                                             {"value residual", a.value_rank},
                                                             {"gate", a.gate_rank}};
  for (const auto& [name, rank] : ranks)
    result.projections.push_back({name, hidden, rank, Role::from_hidden, Split::whole});
  for (const auto& [name, rank] : ranks)
    result.projections.push_back({name, rank, width, Role::from_rank, Split::query_heads});
  result.projections.push_back({"o", width, hidden, Role::output, Split::query_heads});
  result.core.state = {.elements = state, .flops = flops_per_element * state};
  result.core.convolution = {.read = 2 * real(hidden), .written = 2 * real(hidden)};
  return result;
}

[[nodiscard]] inline std::string text(const Rwkv7& a) {
  return fmt::format("RWKV-7 {} x {}^2", a.heads, a.head_dim);
}

}  // namespace afford
