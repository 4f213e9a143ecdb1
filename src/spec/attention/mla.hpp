#pragma once
#include <fmt/core.h>

#include "spec/attention/count.hpp"
#include "spec/keys.hpp"
#include "spec/limits.hpp"

namespace afford {

/// Multi-head latent attention (DeepSeek), decoded in absorbed form. query_rank 0: no query
/// compression.
struct Mla {
  std::int64_t query_heads = 0, query_rank = 0, kv_rank = 0, nope_dim = 0, rope_dim = 0,
               value_dim = 0;
  bool output_gate = false;

  static constexpr std::string_view kind = "mla";
  static constexpr auto keys() {
    return std::to_array<Key<Mla>>(
        {keys::whole<&Mla::query_heads>("query_heads", limits::heads),
         keys::optional_whole<&Mla::query_rank>("query_rank", limits::width),
         keys::whole<&Mla::kv_rank>("kv_rank", limits::width),
         keys::whole<&Mla::nope_dim>("nope_dim", limits::head_dim),
         keys::whole<&Mla::rope_dim>("rope_dim", limits::head_dim),
         keys::whole<&Mla::value_dim>("value_dim", limits::head_dim), keys::format<Mla>(keys::kv),
         keys::flag<&Mla::output_gate>("output_gate")});
  }
};

/// Absorbed MLA: every head attends over the compressed latent, keys at kv_rank + rope_dim, values
/// at kv_rank. The report counts both sides at kv_rank + rope_dim.
///   cache (kv_rank + rope_dim)*S elements, core 2*heads*(key side + value side)*S FLOPs
[[nodiscard]] inline AttentionCount count(const Mla& a, std::int64_t hidden,
                                          Convention convention) {
  const std::int64_t latent = a.kv_rank + a.rope_dim;
  const std::int64_t value_side = convention == Convention::paper ? latent : a.kv_rank;
  const std::int64_t query = a.query_heads * (a.nope_dim + a.rope_dim);
  const std::int64_t value = a.query_heads * a.value_dim;
  AttentionCount result{
      .projections = {},
      .query_rows = real(a.query_heads),
      .kv_heads = 1,
      .curve = OperationClass::mla_decode,
      .core_values = real(a.query_heads) * real(latent + value_side),
      .core_outputs = real(value),  // behind the absorbed half of kv_up
      .norm_weights = real(a.query_rank + a.kv_rank),
      .core_formula =
          fmt::format("2 x {} heads x ({} key + {} value) x S", a.query_heads, latent, value_side),
      .cache_formula = fmt::format("({} kv_rank + {} rope_dim) x S", a.kv_rank, a.rope_dim)};
  result.core.add(
      {.flops = 2 * real(a.query_heads) * real(latent + value_side), .elements = real(latent)});
  if (a.query_rank > 0) {
    result.projections = {{"q_down", hidden, a.query_rank, Role::from_hidden, Split::whole},
                          {"q_up", a.query_rank, query, Role::from_rank, Split::query_heads}};
  } else {
    result.projections = {{"q", hidden, query, Role::from_hidden, Split::query_heads}};
  }
  result.projections.push_back({"kv_down", hidden, latent, Role::from_hidden, Split::whole});
  // Absorbed: one half of kv_up maps each head's query into the latent, the other its output back.
  result.projections.push_back({"kv_up", a.kv_rank, a.query_heads * (a.nope_dim + a.value_dim),
                                Role::absorbed, Split::query_heads});
  if (a.output_gate)
    result.projections.push_back({"gate", hidden, value, Role::from_hidden, Split::query_heads});
  result.projections.push_back({"o", value, hidden, Role::output, Split::query_heads});
  return result;
}

[[nodiscard]] inline std::string text(const Mla& a) {
  return fmt::format("MLA {} x ({}+{})", a.query_heads, a.kv_rank, a.rope_dim);
}

}  // namespace afford
