#include "count/attention.hpp"

#include <fmt/format.h>

namespace afford {
namespace {

double real(std::int64_t count) { return static_cast<double>(count); }

/// K and V of kv_heads heads are read once; every query head multiplies with both. Attention sinks
/// and biases are left out: they are a vector a layer.
///   cache 2*kv_heads*head_dim*S elements, core 4*query_heads*head_dim*S FLOPs
AttentionCount count(const Gqa& a, std::int64_t hidden, Convention) {
  const std::int64_t query = a.query_heads * a.head_dim, kv = a.kv_heads * a.head_dim;
  AttentionCount result{
      .projections = {{"q", hidden, query}},
      .flops_per_context_token = 4 * real(query),
      .elements_per_context_token = 2 * real(kv),
      .reach = a.reach,
      .keeps_cache = !a.reuses_kv,
      .norm_weights = 0,
      .core_formula =
          fmt::format("4 x {} query heads x {} head_dim x S", a.query_heads, a.head_dim),
      .cache_formula = fmt::format("2 x {} kv heads x {} head_dim x S{}", a.kv_heads, a.head_dim,
                                   a.reuses_kv ? " of an earlier layer" : "")};
  if (!a.reuses_kv) {
    result.projections.push_back({"k", hidden, kv});
    result.projections.push_back({"v", hidden, kv});
  }
  if (a.gate == OutputGate::element) result.projections.push_back({"gate", hidden, query});
  if (a.gate == OutputGate::head) result.projections.push_back({"gate", hidden, a.query_heads});
  result.projections.push_back({"o", query, hidden});
  return result;
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
          .core_formula =
              fmt::format("4 x {} query heads x {} head_dim x S", a.query_heads, a.head_dim),
          .cache_formula = fmt::format("2 x 1 shared kv head x {} head_dim x S", a.head_dim)};
}

/// Absorbed MLA: every head attends over the compressed latent, keys at kv_rank + rope_dim, values
/// at kv_rank. The report counts both sides at kv_rank + rope_dim.
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
  if (a.output_gate) result.projections.push_back({"gate", hidden, a.query_heads * a.value_dim});
  result.projections.push_back({"o", a.query_heads * a.value_dim, hidden});
  return result;
}

/// The lightning indexer's walk: `heads` small queries against one key per entry, ReLU, weighted
/// sum.
///   cache (head_dim + 4)*S bytes: an FP8 key with its FP32 scale; 2*heads*(head_dim + 1)*S FLOPs
/// DeepSeek-V3.2-Exp report (2025-09), Section 2.1, equation 1; the inference code keeps the keys
/// in FP8.
ContextTerm index_walk(const Indexer& index, double stride) {
  constexpr double scale_bytes = 4;
  return {.flops = 2 * real(index.heads) * (real(index.head_dim) + 1),
          .elements = real(index.head_dim) + scale_bytes,
          .stride = stride,
          .reach = {},
          .format = Dtype::fp8};
}

void add_index_projections(std::vector<Matrix>& to, const Indexer& index, std::int64_t hidden,
                           std::int64_t query_rank) {
  to.push_back({"index_q", query_rank > 0 ? query_rank : hidden, index.heads * index.head_dim});
  to.push_back({"index_weights", hidden, index.heads});
}

/// DSA: the indexer walks the whole context, MLA the min(S, top_k) tokens it selects.
AttentionCount count(const Dsa& a, std::int64_t hidden, Convention convention) {
  AttentionCount result = count(a.mla, hidden, convention);
  result.reach = {Reach::Kind::selected, a.indexer.top_k};
  result.more = {index_walk(a.indexer, 1)};
  const Matrix output = result.projections.back();
  result.projections.pop_back();
  add_index_projections(result.projections, a.indexer, hidden, a.mla.query_rank);
  result.projections.push_back({"index_k", hidden, a.indexer.head_dim});
  result.projections.push_back(output);
  result.core_formula += fmt::format(", S at most {}, + 2 x {} index heads x ({} + 1) x S",
                                     a.indexer.top_k, a.indexer.heads, a.indexer.head_dim);
  result.cache_formula += fmt::format(", S at most {}, + ({} index_dim + 4 B scale) x S in fp8,",
                                      a.indexer.top_k, a.indexer.head_dim);
  return result;
}

/// Compressed attention: every head attends over the window's vectors and the entries beyond, each
/// key and value at once.
///   cache head_dim*(window + entries), core 4*query_heads*head_dim*(window + entries), with
///   entries = S/stride, at most top_k where an indexer selects (it walks all S/stride)
/// DeepSeek-V4 report (2026), compressed sparse and heavily compressed attention. A pooling takes
/// two projections (values, weights); poolings that overlap and an indexer's own double them.
AttentionCount count(const CompressedMqa& a, std::int64_t hidden, Convention) {
  const std::int64_t query = a.query_heads * a.head_dim;
  AttentionCount result{
      .projections = {{"q_down", hidden, a.query_rank},
                      {"q_up", a.query_rank, query},
                      {"kv", hidden, a.head_dim}},
      .flops_per_context_token = 4 * real(query),
      .elements_per_context_token = real(a.head_dim),
      .reach = {Reach::Kind::sliding, a.window},
      .norm_weights = real(a.query_rank + a.head_dim),
      .core_formula = fmt::format("4 x {} heads x {} head_dim x (window {}", a.query_heads,
                                  a.head_dim, a.window),
      .cache_formula = fmt::format("{} head_dim x (window {}", a.head_dim, a.window)};
  if (a.stride > 0) {
    const std::int64_t overlap = a.indexer ? 2 : 1;
    result.projections.push_back({"compress", hidden, 2 * overlap * a.head_dim});
    const Reach reach = a.indexer ? Reach{Reach::Kind::selected, a.indexer->top_k} : Reach{};
    result.more.push_back({.flops = 4 * real(query),
                           .elements = real(a.head_dim),
                           .stride = real(a.stride),
                           .reach = reach,
                           .format = {}});
    const std::string entries = fmt::format(
        " + S / {}{}", a.stride, a.indexer ? fmt::format(", at most {}", a.indexer->top_k) : "");
    result.core_formula += entries;
    result.cache_formula += entries;
    if (a.indexer) {
      result.more.push_back(index_walk(*a.indexer, real(a.stride)));
      add_index_projections(result.projections, *a.indexer, hidden, a.query_rank);
      result.projections.push_back({"index_compress", hidden, 2 * overlap * a.indexer->head_dim});
    }
  }
  result.core_formula += a.indexer ? "), + the indexer over S / stride" : ")";
  result.cache_formula += a.indexer ? "), + the indexer's keys" : ")";
  result.projections.push_back(
      {"o_down", query / a.output_groups, a.output_groups * a.output_rank});
  result.projections.push_back({"o_up", a.output_groups * a.output_rank, hidden});
  return result;
}

/// Linear attention: S_t = lambda*S_{t-1} + k v^T, o = q S_t, on a state of heads*head_dim^2
/// elements that is read and written once a token whatever the context. That is 5 FLOPs an element
/// (decay, outer product, sum; product and sum of the output); the report's cells come out with 10.
AttentionCount count(const Lightning& a, std::int64_t hidden, Convention convention) {
  const std::int64_t width = a.heads * a.head_dim;
  const double state = real(width) * real(a.head_dim);
  const int flops_per_element = convention == Convention::paper ? 10 : 5;
  return {.projections = {{"q", hidden, width},
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
          .core_formula =
              fmt::format("{} x {} heads x {} head_dim^2", flops_per_element, a.heads, a.head_dim),
          .cache_formula =
              fmt::format("2 (read, write) x {} heads x {} head_dim^2", a.heads, a.head_dim)};
}

/// The part every delta net has: the state S (rows x columns a head) goes S = S*decay; S +=
/// beta*k*(v - S^T k); o = S^T q. That is 1 + 2 + 2 + 2 = 7 FLOPs an element (the report's
/// lightning attention has no delta and 5), read and written once. The short convolution holds
/// kernel - 1 inputs of each channel. Gated Delta Networks, arXiv 2412.06464, equation 10.
struct DeltaState {
  std::int64_t heads = 0, rows = 0, columns = 0, channels = 0, kernel = 0;
};

void add_delta(AttentionCount& count, const DeltaState& s) {
  constexpr int flops_per_element = 7;
  const double state = real(s.heads) * real(s.rows) * real(s.columns);
  count.state_flops = flops_per_element * state + 2 * real(s.kernel) * real(s.channels);
  count.state_elements = 2 * state;
  count.conv_elements = real(s.kernel) * real(s.channels);
  count.conv_written = real(s.channels);
  count.norm_weights = real(s.kernel) * real(s.channels) + real(s.columns);
  count.core_formula =
      fmt::format("{} x {} heads x {} x {} state + 2 x {} taps x {} channels", flops_per_element,
                  s.heads, s.rows, s.columns, s.kernel, s.channels);
  count.cache_formula =
      fmt::format("2 (read, write) x {} heads x {} x {}, + {} x {} conv inputs in bf16,", s.heads,
                  s.rows, s.columns, s.kernel, s.channels);
}

/// Gated delta net as in Qwen3-Next: q, k, v and an output gate z in one projection, beta and decay
/// per head.
AttentionCount count(const GatedDeltaNet& a, std::int64_t hidden, Convention) {
  const std::int64_t key = a.key_heads * a.key_dim, value = a.value_heads * a.value_dim;
  AttentionCount result{.projections = {{"q", hidden, key},
                                        {"k", hidden, key},
                                        {"v", hidden, value},
                                        {"gate", hidden, value},
                                        {"beta_decay", hidden, 2 * a.value_heads},
                                        {"o", value, hidden}}};
  add_delta(result, {.heads = a.value_heads,
                     .rows = a.key_dim,
                     .columns = a.value_dim,
                     .channels = 2 * key + value,
                     .kernel = a.conv_kernel});
  return result;
}

/// Kimi delta attention: decay per key channel through a rank of head_dim, output gate likewise or
/// full. Kimi Linear report, arXiv 2510.26692, Section 3.
AttentionCount count(const Kda& a, std::int64_t hidden, Convention) {
  const std::int64_t width = a.heads * a.head_dim;
  AttentionCount result{.projections = {{"q", hidden, width},
                                        {"k", hidden, width},
                                        {"v", hidden, width},
                                        {"decay_down", hidden, a.head_dim},
                                        {"decay_up", a.head_dim, width},
                                        {"beta", hidden, a.heads}}};
  if (a.full_rank_gate) {
    result.projections.push_back({"gate", hidden, width});
  } else {
    result.projections.push_back({"gate_down", hidden, a.head_dim});
    result.projections.push_back({"gate_up", a.head_dim, width});
  }
  result.projections.push_back({"o", width, hidden});
  add_delta(result, {.heads = a.heads,
                     .rows = a.head_dim,
                     .columns = a.head_dim,
                     .channels = 3 * width,
                     .kernel = a.conv_kernel});
  return result;
}

std::string text(const Gqa& a) {
  const char* reach = a.reach.kind == Reach::Kind::full      ? ""
                      : a.reach.kind == Reach::Kind::chunked ? ", chunks of {}"
                                                             : ", window {}";
  const char* name = a.kv_heads == a.query_heads ? "MHA" : a.kv_heads == 1 ? "MQA" : "GQA";
  return fmt::format("{} {}/{} x {}{}{}{}", name, a.query_heads, a.kv_heads, a.head_dim,
                     fmt::format(fmt::runtime(reach), a.reach.tokens),
                     a.gate == OutputGate::none ? "" : ", gated", a.reuses_kv ? ", shared KV" : "");
}
std::string text(const Mfa& a) {
  return fmt::format("MFA {}/1 x {}, query rank {}", a.query_heads, a.head_dim, a.query_rank);
}
std::string text(const Mla& a) {
  return fmt::format("MLA {} x ({}+{})", a.query_heads, a.kv_rank, a.rope_dim);
}
std::string text(const Lightning& a) {
  return fmt::format("Lightning {} x {}^2", a.heads, a.head_dim);
}
std::string text(const Dsa& a) {
  return fmt::format("DSA top {} of {}", a.indexer.top_k, text(a.mla));
}
std::string text(const CompressedMqa& a) {
  const std::string beyond = a.stride == 0 ? "" : fmt::format(" + 1/{}", a.stride);
  return fmt::format("CSA {}/1 x {}, window {}{}{}", a.query_heads, a.head_dim, a.window, beyond,
                     a.indexer ? fmt::format(" top {}", a.indexer->top_k) : "");
}
std::string text(const GatedDeltaNet& a) {
  return fmt::format("GDN {}/{} x {} x {}", a.value_heads, a.key_heads, a.key_dim, a.value_dim);
}
std::string text(const Kda& a) { return fmt::format("KDA {} x {}^2", a.heads, a.head_dim); }

}  // namespace

AttentionCount count_attention(const AttentionShape& shape, std::int64_t hidden,
                               Convention convention) {
  return std::visit([&](const auto& kind) { return count(kind, hidden, convention); }, shape);
}

std::string describe(const AttentionShape& shape) {
  return std::visit([](const auto& kind) { return text(kind); }, shape);
}

}  // namespace afford
