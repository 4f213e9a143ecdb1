#pragma once
#include <fmt/core.h>

#include "spec/attention/indexer.hpp"
#include "spec/keys.hpp"
#include "spec/limits.hpp"

namespace afford {

/// Compressed attention (DeepSeek-V4): all heads share one vector per position that is key and
/// value at once. The last `window` positions are kept as they are; beyond, every `stride` tokens
/// are pooled into one entry (stride 0: nothing beyond the window), of which the indexer, where
/// there is one, selects. The output passes `output_groups` low-rank maps of output_rank.
struct CompressedMqa {
  std::int64_t query_heads = 0, head_dim = 0, query_rank = 0, output_groups = 0, output_rank = 0;
  std::int64_t window = 0, stride = 0;
  std::optional<Indexer> indexer{};

  static constexpr std::string_view kind = "csa";
  static constexpr auto keys() {
    using C = CompressedMqa;
    return std::to_array<Key<C>>(
        {keys::whole<&C::query_heads>("query_heads", limits::heads),
         keys::whole<&C::head_dim>("head_dim", limits::head_dim),
         keys::whole<&C::query_rank>("query_rank", limits::width),
         keys::whole<&C::output_groups>("output_groups", limits::heads),
         keys::whole<&C::output_rank>("output_rank", limits::width),
         keys::whole<&C::window>("window", limits::tokens),
         keys::optional_whole<&C::stride>("stride", limits::tokens), keys::format<C>(keys::kv),
         keys::whole_with<&C::indexer, &Indexer::heads>("top_k", "index_heads", limits::heads),
         keys::whole_with<&C::indexer, &Indexer::head_dim>("top_k", "index_dim", limits::head_dim),
         keys::optional_whole<&C::indexer, &Indexer::top_k>("top_k", limits::tokens)});
  }
};

[[nodiscard]] inline std::optional<Complaint> complaint(const CompressedMqa& a) {
  if (a.query_heads % a.output_groups != 0)
    return Complaint{"output_groups",
                     fmt::format("query_heads ({}) must be a multiple of output_groups, got {}",
                                 a.query_heads, a.output_groups)};
  if (a.indexer && a.stride == 0)
    return Complaint{"top_k", "an indexer goes with a 'stride', which is missing"};
  return std::nullopt;
}

/// The projections before the core. A pooling takes two (values, weights); poolings that overlap
/// and an indexer's own double them.
[[nodiscard]] inline std::vector<Matrix> projections_in(const CompressedMqa& a,
                                                        std::int64_t hidden) {
  const std::int64_t query = a.query_heads * a.head_dim, overlap = a.indexer ? 2 : 1;
  std::vector<Matrix> result{{"q_down", hidden, a.query_rank, Role::from_hidden, Split::whole},
                             {"q_up", a.query_rank, query, Role::from_rank, Split::query_heads},
                             {"kv", hidden, a.head_dim, Role::from_hidden, Split::whole}};
  if (a.stride > 0)
    result.push_back(
        {"compress", hidden, 2 * overlap * a.head_dim, Role::from_hidden, Split::whole});
  if (a.indexer) {
    add_index_projections(result, *a.indexer, hidden, a.query_rank);
    result.push_back({"index_compress", hidden, 2 * overlap * a.indexer->head_dim,
                      Role::from_hidden, Split::whole});
  }
  return result;
}

/// What an entry of an FP8 cache takes beyond a byte an element: the 64 rotary numbers in BF16, and
/// 8 bytes of scales for the rest (584 B for DeepSeek-V4's 512: vLLM's fp8_ds_mla for V4).
inline constexpr double fp8_entry_extra = 64 + 8;

/// Every head attends over the window's vectors and the entries beyond, each key and value at once.
///   cache head_dim*(window + entries), core 4*query_heads*head_dim*(window + entries), with
///   entries = S/stride, at most top_k where an indexer selects (it walks all S/stride)
/// DeepSeek-V4 report (2026), compressed sparse and heavily compressed attention. The output goes
/// through output_groups maps, each of its own heads, and one back to the hidden state.
[[nodiscard]] inline AttentionCount count(const CompressedMqa& a, std::int64_t hidden, Convention) {
  const std::int64_t query = a.query_heads * a.head_dim;
  const std::int64_t ranks = a.output_groups * a.output_rank;
  const std::string beyond =
      a.stride == 0 ? ""
                    : fmt::format(" + S / {}{}", a.stride,
                                  a.indexer ? fmt::format(", at most {}", a.indexer->top_k) : "");
  AttentionCount result{
      .projections = projections_in(a, hidden),
      .query_rows = real(a.query_heads),
      .kv_heads = 1,
      .curve = OperationClass::mla_decode,  // one latent shared by all heads
      .core_values = 2 * real(query),
      .core_outputs = real(query),
      .norm_weights = real(a.query_rank + a.head_dim),
      .core_formula =
          fmt::format("4 x {} heads x {} head_dim x (window {}{}{}", a.query_heads, a.head_dim,
                      a.window, beyond, a.indexer ? "), + the indexer over S / stride" : ")"),
      .cache_formula = fmt::format("{} head_dim x (window {}{}{}", a.head_dim, a.window, beyond,
                                   a.indexer ? "), + the indexer's keys" : ")")};
  const double flops = 4 * real(query), elements = real(a.head_dim);
  result.core.add({.flops = flops,
                   .elements = elements,
                   .reach = {Reach::Kind::sliding, a.window},
                   .fp8_extra = fp8_entry_extra});
  if (a.stride > 0) {
    const Reach reach = a.indexer ? Reach{Reach::Kind::selected, a.indexer->top_k} : Reach{};
    result.core.add({.flops = flops,
                     .elements = elements,
                     .stride = real(a.stride),
                     .reach = reach,
                     .fp8_extra = fp8_entry_extra});
  }
  if (a.indexer) result.core.add(index_walk(*a.indexer, real(a.stride)));
  result.projections.push_back({.name = "o_down",
                                .inputs = query / a.output_groups,
                                .outputs = ranks,
                                .role = Role::output,
                                .split = Split::query_heads,
                                .blocks = a.output_groups});
  result.projections.push_back({"o_up", ranks, hidden, Role::output, Split::query_heads});
  return result;
}

[[nodiscard]] inline std::string text(const CompressedMqa& a) {
  const std::string beyond = a.stride == 0 ? "" : fmt::format(" + 1/{}", a.stride);
  return fmt::format("CSA {}/1 x {}, window {}{}{}", a.query_heads, a.head_dim, a.window, beyond,
                     a.indexer ? fmt::format(" top {}", a.indexer->top_k) : "");
}

}  // namespace afford
