#pragma once
#include <fmt/core.h>

#include "spec/attention/count.hpp"
#include "spec/keys.hpp"
#include "spec/limits.hpp"

namespace afford {

/// Attention that reads the hidden state beside the token's embedding (Zamba and Zamba2): queries,
/// keys and values come from twice the hidden width, and a map of the layer's own leads what its
/// block puts out back to the other layers. `adapter_rank`: a low-rank product that each layer adds
/// to its queries, keys and values, where layers share the block's weights.
struct Concat {
  std::int64_t query_heads = 0, kv_heads = 0, head_dim = 0;
  std::int64_t adapter_rank = 0;  // 0: none

  static constexpr std::string_view kind = "concat";
  static constexpr auto keys() {
    return std::to_array<Key<Concat>>(
        {keys::whole<&Concat::query_heads>("query_heads", limits::heads),
         keys::whole<&Concat::kv_heads>("kv_heads", limits::heads),
         keys::whole<&Concat::head_dim>("head_dim", limits::head_dim),
         keys::optional_whole<&Concat::adapter_rank>("adapter_rank", limits::width),
         keys::format<Concat>(keys::kv)});
  }
};

[[nodiscard]] inline std::optional<Complaint> complaint(const Concat& a) {
  if (a.query_heads % a.kv_heads == 0) return std::nullopt;
  return Complaint{"kv_heads",
                   fmt::format("query_heads ({}) must be a multiple of kv_heads, got {}",
                               a.query_heads, a.kv_heads)};
}

/// As grouped-query attention with 2*hidden inputs:
///   cache 2*kv_heads*head_dim*S elements, core 4*query_heads*head_dim*S FLOPs
/// Zamba2 report, arXiv 2411.15242, Section 2; layers and adapters as in transformers,
/// models/zamba2/modular_zamba2.py (q, k and v adapters: 2*hidden -> rank -> heads).
[[nodiscard]] inline AttentionCount count(const Concat& a, std::int64_t hidden, Convention) {
  const std::int64_t inputs = 2 * hidden, query = a.query_heads * a.head_dim,
                     keys = a.kv_heads * a.head_dim;
  const Matrix own[] = {{"q", inputs, query, Role::from_hidden, Split::query_heads},
                        {"k", inputs, keys, Role::from_hidden, Split::kv_heads},
                        {"v", inputs, keys, Role::from_hidden, Split::kv_heads}};
  AttentionCount result{
      .projections = {std::begin(own), std::end(own)},
      .query_rows = real(a.query_heads) / real(a.kv_heads),
      .kv_heads = real(a.kv_heads),
      .curve = OperationClass::gqa_decode,
      .core_values = 2 * real(query),
      .core_outputs = real(query),
      .norm_weights = real(hidden),  // the norm before it is twice as wide
      .core_formula =
          fmt::format("4 x {} query heads x {} head_dim x S", a.query_heads, a.head_dim),
      .cache_formula = fmt::format("2 x {} kv heads x {} head_dim x S", a.kv_heads, a.head_dim)};
  result.core.add({.flops = 4 * real(query), .elements = 2 * real(keys)});
  if (a.adapter_rank > 0) {
    for (const Matrix& matrix : own) {
      result.projections.push_back({.name = "adapter in",
                                    .inputs = inputs,
                                    .outputs = a.adapter_rank,
                                    .role = Role::from_hidden,
                                    .split = Split::whole,
                                    .apart = true});
      result.projections.push_back({.name = "adapter out",
                                    .inputs = a.adapter_rank,
                                    .outputs = matrix.outputs,
                                    .role = Role::from_rank,
                                    .split = matrix.split,
                                    .apart = true});
    }
  }
  result.projections.push_back({"o", query, hidden, Role::output, Split::query_heads});
  result.projections.push_back({.name = "block map",
                                .inputs = hidden,
                                .outputs = hidden,
                                .role = Role::output,
                                .split = Split::query_heads,
                                .apart = true});
  return result;
}

[[nodiscard]] inline std::string text(const Concat& a) {
  return fmt::format(
      "Concat GQA {}/{} x {}{}", a.query_heads, a.kv_heads, a.head_dim,
      a.adapter_rank > 0 ? fmt::format(" + rank {}", a.adapter_rank) : std::string());
}

}  // namespace afford
