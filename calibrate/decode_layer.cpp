#include "decode_layer.hpp"

#include <fmt/format.h>

#include "error.hpp"

namespace afford::calibrate {
namespace {

constexpr int most_rows = 64;  // query heads that share a KV head in one tile

[[noreturn]] void refuse(const ModelSpec& model, const std::string& why) {
  throw UsageError(fmt::format("{}: {}", model.name, why));
}

int narrow(std::int64_t count) { return static_cast<int>(count); }

Precision precision(const ModelSpec& model, Dtype dtype, const char* what) {
  if (dtype == Dtype::bf16) return Precision::bf16;
  if (dtype == Dtype::fp8) return Precision::fp8;
  refuse(model, fmt::format("{} in {}: the kernels have bf16 and fp8", what, name_of(dtype)));
}

/// Fills in the attention of a layer.
struct Attention {
  const ModelSpec& model;
  DecodeLayer& layer;

  void operator()(const Mfa& a) const {
    if (a.head_dim != 256 || a.query_heads > most_rows)
      refuse(model, "the MFA kernel has heads of 256, at most 64 of them");
    layer.attention = AttentionKind::mfa;
    layer.query_heads = narrow(a.query_heads), layer.head_dim = narrow(a.head_dim);
    layer.query_rank = narrow(a.query_rank);
  }
  void operator()(const Gqa& a) const {
    if ((a.head_dim != 128 && a.head_dim != 256) || a.query_heads / a.kv_heads > most_rows)
      refuse(model, "the GQA kernel has heads of 128 or 256, at most 64 to a KV head");
    if (a.reach.kind != Reach::Kind::full || a.gate != OutputGate::none || a.reuses_kv)
      refuse(model, "the GQA kernel reads whole contexts of its own layer, and has no gates");
    layer.attention = AttentionKind::gqa;
    layer.query_heads = narrow(a.query_heads), layer.kv_heads = narrow(a.kv_heads);
    layer.head_dim = narrow(a.head_dim);
  }
  void operator()(const Mla& a) const {
    if (a.kv_rank != 512 || a.rope_dim != 64 || a.query_heads > 128 || a.query_rank == 0 ||
        a.output_gate)
      refuse(model, "the MLA kernel has latents of 512 and 64, at most 128 heads and no gate");
    if (layer.cache != Precision::bf16) refuse(model, "the MLA kernel has a bf16 cache");
    layer.attention = AttentionKind::mla;
    layer.query_heads = narrow(a.query_heads), layer.query_rank = narrow(a.query_rank);
    layer.latent = narrow(a.kv_rank), layer.rope = narrow(a.rope_dim);
    layer.nope = narrow(a.nope_dim), layer.value_dim = narrow(a.value_dim);
    layer.head_dim = layer.latent + layer.rope;
  }
  template <class Other>
  void operator()(const Other&) const {
    refuse(model, "its attention has no kernel; MFA, GQA and MLA have");
  }
};

}  // namespace

DecodeLayer decode_layer(const ModelSpec& model, Dtype cache, int shard) {
  const LayerKind& kind = main_layer_kind(model);
  const FfnSpec& ffn = model.ffns[kind.ffn];
  DecodeLayer layer;
  layer.hidden = narrow(model.hidden);
  layer.layers = layer_count(model);
  layer.cache = precision(model, cache, "a cache");
  layer.projections =
      precision(model, weight_format(model, model.attentions[kind.attention]), "attention weights");
  layer.ffn = precision(model, weight_format(model, ffn), "FFN weights");
  std::visit(Attention{model, layer}, model.attentions[kind.attention].shape);
  if (const auto* moe = std::get_if<Moe>(&ffn.shape)) {
    if (moe->latent != 0) refuse(model, "experts on latents have no kernel");
    const bool alike =
        moe->shared_intermediate == 0 || moe->shared_intermediate == moe->intermediate;
    if (moe->shared_experts > 0 && !alike)
      refuse(model, "a shared expert must be as wide as the others, whose kernel it runs in");
    layer.experts = narrow(moe->experts), layer.active = narrow(moe->active);
    layer.shared = narrow(moe->shared_experts), layer.intermediate = narrow(moe->intermediate);
  } else {
    layer.shared = 1;
    layer.intermediate = narrow(std::get<Dense>(ffn.shape).intermediate);
  }
  if (layer.intermediate % (64 * shard) != 0)
    refuse(model, fmt::format("an expert of {} does not split {} ways into multiples of 64",
                              layer.intermediate, shard));
  layer.intermediate /= shard;
  return layer;
}

std::string layer_text(const DecodeLayer& layer) {
  constexpr const char* kinds[] = {"mfa", "gqa", "mla"};
  return fmt::format("{} {}/{} d{}, {} experts of {} x {}, {} active, {} shared",
                     kinds[static_cast<int>(layer.attention)], layer.query_heads, layer.kv_heads,
                     layer.head_dim, layer.experts, layer.hidden, layer.intermediate, layer.active,
                     layer.shared);
}

}  // namespace afford::calibrate
