#pragma once
#include "spec/attention/indexer.hpp"
#include "spec/attention/mla.hpp"

namespace afford {

/// DeepSeek sparse attention: MLA over the tokens the indexer selects. A layer that reuses the
/// selection of an earlier one (GLM-5.2) has no indexer of its own.
struct Dsa {
  Mla mla{};
  Indexer indexer{};
  bool reuses_selection = false;

  static constexpr std::string_view kind = "dsa";
  static constexpr auto keys() {
    return std::to_array<Key<Dsa>>(
        {keys::whole<&Dsa::mla, &Mla::query_heads>("query_heads", limits::heads),
         keys::optional_whole<&Dsa::mla, &Mla::query_rank>("query_rank", limits::width),
         keys::whole<&Dsa::mla, &Mla::kv_rank>("kv_rank", limits::width),
         keys::whole<&Dsa::mla, &Mla::nope_dim>("nope_dim", limits::head_dim),
         keys::whole<&Dsa::mla, &Mla::rope_dim>("rope_dim", limits::head_dim),
         keys::whole<&Dsa::mla, &Mla::value_dim>("value_dim", limits::head_dim),
         keys::format<Dsa>(keys::kv), keys::flag<&Dsa::mla, &Mla::output_gate>("output_gate"),
         keys::whole<&Dsa::indexer, &Indexer::heads>("index_heads", limits::heads),
         keys::whole<&Dsa::indexer, &Indexer::head_dim>("index_dim", limits::head_dim),
         keys::whole<&Dsa::indexer, &Indexer::top_k>("top_k", limits::tokens),
         keys::flag<&Dsa::reuses_selection>("reuses_selection")});
  }
};

/// What an entry of an FP8 latent takes beyond a byte an element: an FP32 scale for 128 of the
/// latent, and the rotary part in BF16 (656 B for DeepSeek-V3.2: FlashMLA's sparse FP8 layout,
/// flash_mla_interface.py; vLLM's fp8_ds_mla).
[[nodiscard]] inline double fp8_latent_extra(const Mla& a) {
  constexpr double scale_bytes = 4, scaled = 128;
  return scale_bytes * real(a.kv_rank) / scaled + real(a.rope_dim);
}

/// The indexer walks the whole context, MLA the min(S, top_k) tokens it selects.
[[nodiscard]] inline AttentionCount count(const Dsa& a, std::int64_t hidden,
                                          Convention convention) {
  AttentionCount result = count(a.mla, hidden, convention);
  result.core.walk.front().reach = {Reach::Kind::selected, a.indexer.top_k};
  result.core.walk.front().fp8_extra = fp8_latent_extra(a.mla);
  if (a.reuses_selection) {
    result.core_formula += fmt::format(", S at most {}", a.indexer.top_k);
    result.cache_formula += fmt::format(", S at most {}", a.indexer.top_k);
    return result;
  }
  result.core.add(index_walk(a.indexer, 1));
  std::vector<Matrix> index;
  add_index_projections(index, a.indexer, hidden, a.mla.query_rank);
  index.push_back({"index_k", hidden, a.indexer.head_dim, Role::from_hidden, Split::whole});
  result.projections.insert(result.projections.end() - 1, index.begin(), index.end());
  result.core_formula += fmt::format(", S at most {}, + 2 x {} index heads x ({} + 1) x S",
                                     a.indexer.top_k, a.indexer.heads, a.indexer.head_dim);
  result.cache_formula += fmt::format(", S at most {}, + ({} index_dim + 4 B scale) x S in fp8,",
                                      a.indexer.top_k, a.indexer.head_dim);
  return result;
}

[[nodiscard]] inline std::string text(const Dsa& a) {
  return fmt::format("DSA top {} of {}{}", a.indexer.top_k, text(a.mla),
                     a.reuses_selection ? ", shared selection" : "");
}

}  // namespace afford
