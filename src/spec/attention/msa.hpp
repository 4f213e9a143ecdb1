#pragma once
#include "spec/attention/gqa.hpp"

namespace afford {

/// Block-sparse grouped-query attention (MiniMax-M3): an indexer with one key a token scores the
/// blocks of the context, and each KV head's query heads attend the `top_k` tokens in the best
/// ones.
struct Msa {
  Gqa gqa{};
  std::int64_t index_heads = 0, index_dim = 0, top_k = 0;

  static constexpr std::string_view kind = "msa";
  static constexpr auto keys() {
    return std::to_array<Key<Msa>>(
        {keys::whole<&Msa::gqa, &Gqa::query_heads>("query_heads", limits::heads),
         keys::whole<&Msa::gqa, &Gqa::kv_heads>("kv_heads", limits::heads),
         keys::whole<&Msa::gqa, &Gqa::head_dim>("head_dim", limits::head_dim),
         keys::format<Msa>(keys::kv), keys::whole<&Msa::index_heads>("index_heads", limits::heads),
         keys::whole<&Msa::index_dim>("index_dim", limits::head_dim),
         keys::whole<&Msa::top_k>("top_k", limits::tokens)});
  }
};

[[nodiscard]] inline std::optional<Complaint> complaint(const Msa& a) { return complaint(a.gqa); }

/// The indexer's index_heads queries meet one key of index_dim numbers a token, kept in the format
/// of the cache; a block's score is its best token's, without weights of heads. Grouped-query
/// attention reads the min(S, top_k) tokens selected.
///   cache (2*kv_heads*head_dim)*min(S, top_k) + index_dim*S elements, of which all S are kept;
///   core 4*query_heads*head_dim*min(S, top_k) + 2*index_heads*index_dim*S FLOPs
/// transformers, models/minimax_m3_vl: MiniMaxM3VLIndexer has a q_proj and a k_proj (2026).
[[nodiscard]] inline AttentionCount count(const Msa& a, std::int64_t hidden,
                                          Convention convention) {
  AttentionCount result = count(a.gqa, hidden, convention);
  result.core.walk.front().reach = {Reach::Kind::selected, a.top_k};
  result.core.add({.flops = 2 * real(a.index_heads) * real(a.index_dim),
                   .elements = real(a.index_dim),
                   .by = Walk::By::indexer});
  result.projections.insert(
      result.projections.end() - 1,
      {{"index_q", hidden, a.index_heads * a.index_dim, Role::from_hidden, Split::whole},
       {"index_k", hidden, a.index_dim, Role::from_hidden, Split::whole}});
  result.core_formula += fmt::format(", S at most {}, + 2 x {} index heads x {} x S", a.top_k,
                                     a.index_heads, a.index_dim);
  result.cache_formula += fmt::format(", S at most {}, + {} index_dim x S", a.top_k, a.index_dim);
  return result;
}

[[nodiscard]] inline std::string text(const Msa& a) {
  return fmt::format("MSA top {} of {}", a.top_k, text(a.gqa));
}

}  // namespace afford
