#pragma once
#include <fmt/core.h>

#include "spec/attention/count.hpp"
#include "spec/keys.hpp"
#include "spec/limits.hpp"

namespace afford {

/// Multi-head, multi-query and grouped-query attention: `kv_heads` pairs of key and value heads. A
/// layer that reuses KV has no key and value projections and reads the cache of an earlier layer.
/// Values may be of another width than keys (MiMo-V2), or come from the keys' projection (Gemma 4).
/// `per_layer_width`: an embedding of its own enters the layer through a gate and a projection of
/// that width (Gemma 3n and 4).
struct Gqa {
  std::int64_t query_heads = 0, kv_heads = 0, head_dim = 0;
  std::int64_t value_dim = 0;  // 0: head_dim
  std::int64_t per_layer_width = 0;
  Reach reach{};
  OutputGate gate = OutputGate::none;
  bool reuses_kv = false, keys_are_values = false;

  static constexpr std::string_view kind = "gqa";
  static constexpr auto keys() {
    using K = Key<Gqa>;
    return std::to_array<K>(
        {keys::whole<&Gqa::query_heads>("query_heads", limits::heads),
         keys::whole<&Gqa::kv_heads>("kv_heads", limits::heads),
         keys::whole<&Gqa::head_dim>("head_dim", limits::head_dim),
         keys::optional_whole<&Gqa::value_dim>("value_dim", limits::head_dim),
         keys::optional_whole<&Gqa::per_layer_width>("per_layer_width", limits::width),
         {.name = "window",
          .holds = K::Holds::whole,
          .range = limits::tokens,
          .set =
              [](Gqa& a, std::int64_t n) {
                a.reach = {Reach::Kind::sliding, n};
              }},
         {.name = "chunk",
          .holds = K::Holds::whole,
          .range = limits::tokens,
          .excludes = "window",
          .set =
              [](Gqa& a, std::int64_t n) {
                a.reach = {Reach::Kind::chunked, n};
              }},
         keys::format<Gqa>(keys::kv),
         keys::output_gate<&Gqa::gate>("output_gate"),
         keys::flag<&Gqa::reuses_kv>("reuses_kv"),
         keys::flag<&Gqa::keys_are_values>("keys_are_values")});
  }
};

[[nodiscard]] inline std::optional<Complaint> complaint(const Gqa& a) {
  if (a.query_heads % a.kv_heads == 0) return std::nullopt;
  return Complaint{"kv_heads",
                   fmt::format("query_heads ({}) must be a multiple of kv_heads, got {}",
                               a.query_heads, a.kv_heads)};
}

/// K and V of kv_heads heads are read once; every query head multiplies with both. Attention sinks
/// and biases are left out: they are a vector a layer.
///   cache kv_heads*(key + value)*S elements, core 2*query_heads*(key + value)*S FLOPs
[[nodiscard]] inline AttentionCount count(const Gqa& a, std::int64_t hidden, Convention) {
  const std::int64_t value_dim = a.value_dim > 0 ? a.value_dim : a.head_dim;
  const std::int64_t query = a.query_heads * a.head_dim, result_values = a.query_heads * value_dim;
  const std::int64_t keys = a.kv_heads * a.head_dim, values = a.kv_heads * value_dim;
  AttentionCount result{
      .projections = {{"q", hidden, query, Role::from_hidden, Split::query_heads}},
      .query_rows = real(a.query_heads) / real(a.kv_heads),
      .kv_heads = real(a.kv_heads),
      .curve = OperationClass::gqa_decode,
      .core_values = real(query + result_values),
      .core_outputs = real(result_values),
      .core_formula =
          value_dim == a.head_dim
              ? fmt::format("4 x {} query heads x {} head_dim x S", a.query_heads, a.head_dim)
              : fmt::format("2 x {} query heads x ({} key + {} value) x S", a.query_heads,
                            a.head_dim, value_dim),
      .cache_formula =
          (value_dim == a.head_dim
               ? fmt::format("2 x {} kv heads x {} head_dim x S", a.kv_heads, a.head_dim)
               : fmt::format("{} kv heads x ({} key + {} value) x S", a.kv_heads, a.head_dim,
                             value_dim)) +
          (a.reuses_kv ? " of an earlier layer" : "")};
  result.core.add({.flops = 2 * real(query + result_values),
                   .elements = real(keys + values),
                   .reach = a.reach,
                   .kept = !a.reuses_kv});
  const auto project = [&](std::string_view name, std::int64_t outputs, Split split) {
    result.projections.push_back({name, hidden, outputs, Role::from_hidden, split});
  };
  if (!a.reuses_kv) {
    project("k", keys, Split::kv_heads);
    if (!a.keys_are_values) project("v", values, Split::kv_heads);
  }
  if (a.gate == OutputGate::element) project("gate", result_values, Split::query_heads);
  if (a.gate == OutputGate::head) project("gate", a.query_heads, Split::query_heads);
  if (a.per_layer_width > 0) {
    project("per_layer_input", a.per_layer_width, Split::whole);
    project("per_layer_gate", a.per_layer_width, Split::whole);
    result.projections.push_back(
        {"per_layer_up", a.per_layer_width, hidden, Role::from_rank, Split::whole});
  }
  result.projections.push_back({"o", result_values, hidden, Role::output, Split::query_heads});
  return result;
}

[[nodiscard]] inline std::string text(const Gqa& a) {
  const std::string reach = a.reach.kind == Reach::Kind::full ? ""
                            : a.reach.kind == Reach::Kind::chunked
                                ? fmt::format(", chunks of {}", a.reach.tokens)
                                : fmt::format(", window {}", a.reach.tokens);
  const char* name = a.kv_heads == a.query_heads ? "MHA" : a.kv_heads == 1 ? "MQA" : "GQA";
  const std::string width = a.value_dim > 0 ? fmt::format("({}+{})", a.head_dim, a.value_dim)
                                            : fmt::format("{}", a.head_dim);
  return fmt::format("{} {}/{} x {}{}{}{}", name, a.query_heads, a.kv_heads, width, reach,
                     a.gate == OutputGate::none ? "" : ", gated", a.reuses_kv ? ", shared KV" : "");
}

}  // namespace afford
