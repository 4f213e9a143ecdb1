#pragma once
#include <fmt/core.h>

#include "spec/attention/count.hpp"
#include "spec/keys.hpp"
#include "spec/limits.hpp"

namespace afford {

/// Multi-matrix factorization attention (Step-3): the query goes hidden -> query_rank -> heads, all
/// query heads share one key head and one value head.
struct Mfa {
  std::int64_t query_heads = 0, head_dim = 0, query_rank = 0;

  static constexpr std::string_view kind = "mfa";
  static constexpr auto keys() {
    return std::to_array<Key<Mfa>>({keys::whole<&Mfa::query_heads>("query_heads", limits::heads),
                                    keys::whole<&Mfa::head_dim>("head_dim", limits::head_dim),
                                    keys::whole<&Mfa::query_rank>("query_rank", limits::width),
                                    keys::format<Mfa>(keys::kv)});
  }
};

/// All query heads share one K and one V head; the query passes a low-rank bottleneck.
///   cache 2*head_dim*S elements, core 4*query_heads*head_dim*S FLOPs
[[nodiscard]] inline AttentionCount count(const Mfa& a, std::int64_t hidden, Convention) {
  const std::int64_t query = a.query_heads * a.head_dim;
  AttentionCount result{
      .projections = {{"q_down", hidden, a.query_rank, Role::from_hidden, Split::whole},
                      {"q_up", a.query_rank, query, Role::from_rank, Split::query_heads},
                      {"k", hidden, a.head_dim, Role::from_hidden, Split::kv_heads},
                      {"v", hidden, a.head_dim, Role::from_hidden, Split::kv_heads},
                      {"o", query, hidden, Role::output, Split::query_heads}},
      .query_rows = real(a.query_heads),
      .kv_heads = 1,
      .curve = OperationClass::mfa_decode,
      .core_values = 2 * real(query),
      .core_outputs = real(query),
      .norm_weights = real(a.query_rank),
      .core_formula =
          fmt::format("4 x {} query heads x {} head_dim x S", a.query_heads, a.head_dim),
      .cache_formula = fmt::format("2 x 1 shared kv head x {} head_dim x S", a.head_dim)};
  result.core.add({.flops = 4 * real(query), .elements = 2 * real(a.head_dim)});
  return result;
}

[[nodiscard]] inline std::string text(const Mfa& a) {
  return fmt::format("MFA {}/1 x {}, query rank {}", a.query_heads, a.head_dim, a.query_rank);
}

}  // namespace afford
