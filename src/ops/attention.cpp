#include "ops/attention.hpp"

#include <fmt/format.h>

namespace afford {
namespace {

double real(std::int64_t count) { return static_cast<double>(count); }

/// K and V of kv_heads heads are read once; every query head multiplies with both.
///   cache 2*kv_heads*head_dim*S elements, core 4*query_heads*head_dim*S FLOPs
AttentionCount count(const Gqa& a, std::int64_t hidden, Convention) {
  const std::int64_t query = a.query_heads * a.head_dim, kv = a.kv_heads * a.head_dim;
  return {.projections = {{"q", hidden, query}, {"k", hidden, kv}, {"v", hidden, kv}, {"o", query, hidden}},
          .flops_per_context_token = 4 * real(query),
          .elements_per_context_token = 2 * real(kv),
          .reach = a.reach,
          .norm_weights = 0,
          .core_formula = fmt::format("4 x {} query heads x {} head_dim x S", a.query_heads, a.head_dim),
          .cache_formula = fmt::format("2 x {} kv heads x {} head_dim x S", a.kv_heads, a.head_dim)};
}

/// All query heads share one K and one V head; the query passes a low-rank bottleneck.
///   cache 2*head_dim*S elements, core 4*query_heads*head_dim*S FLOPs
AttentionCount count(const Mfa& a, std::int64_t hidden, Convention) {
  const std::int64_t query = a.query_heads * a.head_dim;
  return {.projections = {{"q_down", hidden, a.query_rank},
                          {"q_up", a.query_rank, query},
                          {"k", hidden, a.head_dim},
                          {"v", hidden, a.head_dim},
                          {"o", query, hidden}},
          .flops_per_context_token = 4 * real(query),
          .elements_per_context_token = 2 * real(a.head_dim),
          .reach = {},
          .norm_weights = real(a.query_rank),
          .core_formula = fmt::format("4 x {} query heads x {} head_dim x S", a.query_heads, a.head_dim),
          .cache_formula = fmt::format("2 x 1 shared kv head x {} head_dim x S", a.head_dim)};
}

/// Absorbed MLA: every head attends over the compressed latent, keys at kv_rank + rope_dim, values at
/// kv_rank. The report counts both sides at kv_rank + rope_dim.
///   cache (kv_rank + rope_dim)*S elements, core 2*heads*(key side + value side)*S FLOPs
AttentionCount count(const Mla& a, std::int64_t hidden, Convention convention) {
  const std::int64_t latent = a.kv_rank + a.rope_dim;
  const std::int64_t value_side = convention == Convention::paper ? latent : a.kv_rank;
  const std::int64_t query = a.query_heads * (a.nope_dim + a.rope_dim);
  AttentionCount result{
      .projections = {},
      .flops_per_context_token = 2 * real(a.query_heads) * real(latent + value_side),
      .elements_per_context_token = real(latent),
      .reach = {},
      .norm_weights = real(a.query_rank + a.kv_rank),
      .core_formula =
          fmt::format("2 x {} heads x ({} key + {} value) x S", a.query_heads, latent, value_side),
      .cache_formula = fmt::format("({} kv_rank + {} rope_dim) x S", a.kv_rank, a.rope_dim)};
  if (a.query_rank > 0) {
    result.projections = {{"q_down", hidden, a.query_rank}, {"q_up", a.query_rank, query}};
  } else {
    result.projections = {{"q", hidden, query}};
  }
  result.projections.push_back({"kv_down", hidden, latent});
  // Absorbed: one half of kv_up maps each head's query into the latent, the other its output back.
  result.projections.push_back({"kv_up", a.kv_rank, a.query_heads * (a.nope_dim + a.value_dim)});
  result.projections.push_back({"o", a.query_heads * a.value_dim, hidden});
  return result;
}

/// Linear attention: S_t = lambda*S_{t-1} + k v^T, o = q S_t, on a state of heads*head_dim^2 elements
/// that is read and written once a token whatever the context. That is 5 FLOPs an element (decay,
/// outer product, sum; product and sum of the output); the report's cells come out with 10.
AttentionCount count(const Lightning& a, std::int64_t hidden, Convention convention) {
  const std::int64_t width = a.heads * a.head_dim;
  const double state = real(width) * real(a.head_dim);
  const int flops_per_element = convention == Convention::paper ? 10 : 5;
  return {
      .projections = {{"q", hidden, width},
                      {"k", hidden, width},
                      {"v", hidden, width},
                      {"gate", hidden, width},
                      {"o", width, hidden}},
      .flops_per_context_token = 0,
      .elements_per_context_token = 0,
      .state_flops = flops_per_element * state,
      .state_elements = 2 * state,
      .reach = {},
      .norm_weights = real(width),
      .core_formula = fmt::format("{} x {} heads x {} head_dim^2", flops_per_element, a.heads, a.head_dim),
      .cache_formula = fmt::format("2 (read, write) x {} heads x {} head_dim^2", a.heads, a.head_dim)};
}

std::string text(const Gqa& a) {
  const char* reach = a.reach.kind == Reach::Kind::full      ? ""
                      : a.reach.kind == Reach::Kind::chunked ? ", chunks of {}"
                                                             : ", window {}";
  const char* name = a.kv_heads == a.query_heads ? "MHA" : a.kv_heads == 1 ? "MQA" : "GQA";
  return fmt::format("{} {}/{} x {}{}", name, a.query_heads, a.kv_heads, a.head_dim,
                     fmt::format(fmt::runtime(reach), a.reach.tokens));
}
std::string text(const Mfa& a) {
  return fmt::format("MFA {}/1 x {}, query rank {}", a.query_heads, a.head_dim, a.query_rank);
}
std::string text(const Mla& a) {
  return fmt::format("MLA {} x ({}+{})", a.query_heads, a.kv_rank, a.rope_dim);
}
std::string text(const Lightning& a) { return fmt::format("Lightning {} x {}^2", a.heads, a.head_dim); }

}  // namespace

AttentionCount count_attention(const AttentionShape& shape, std::int64_t hidden, Convention convention) {
  return std::visit([&](const auto& kind) { return count(kind, hidden, convention); }, shape);
}

std::string describe(const AttentionShape& shape) {
  return std::visit([](const auto& kind) { return text(kind); }, shape);
}

}  // namespace afford
