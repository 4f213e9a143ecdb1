#include "import/keys.hpp"

#include <algorithm>
#include <iterator>

namespace afford::config {
namespace {

// By rule: how a name starts, ends, or a word in it.
constexpr std::string_view harmless_starts[] = {"_",
                                                "attn_implementation",
                                                "audio_",
                                                "aux_",
                                                "bos_",
                                                "bnb_",
                                                "classifier",
                                                "compress_rope",
                                                "eos_",
                                                "flash_attn",
                                                "image_",
                                                "img_",
                                                "init_",
                                                "initializer_",
                                                "layernorm_",
                                                "llama_4_",
                                                "logit",
                                                "mm_",
                                                "moe_router_",
                                                "mrope",
                                                "mup_",
                                                "output_",
                                                "pad_token",
                                                "projector_",
                                                "rope_",
                                                "rotary_",
                                                "scale_",
                                                "router_aux",
                                                "router_jitter",
                                                "router_scale",
                                                "router_z",
                                                "speech_",
                                                "talker_",
                                                "token2wav",
                                                "tokenizer",
                                                "transformers",
                                                "tts_",
                                                "unsloth",
                                                "use_flash_attn",
                                                "video_",
                                                "vision_",
                                                "visual_",
                                                "yarn_",
                                                "fuse_",
                                                "fused_",
                                                "use_fused",
                                                "mla_scale",
                                                "use_flash_attention",
                                                "use_sdpa",
                                                "flash_attention",
                                                "vocab_type",
                                                "position_encoding",
                                                "train_",
                                                "diffusion_",
                                                "spatial_",
                                                "temporal_",
                                                "layer_scale",
                                                "slice_"};
constexpr std::string_view harmless_ends[] = {
    "_act",       "_alpha",          "_beta",      "_bias",   "_bos",     "_coef",
    "_coeff",     "_drop",           "_end_id",    "_eps",    "_epsilon", "_fn",
    "_func",      "_initializer",    "_lambda",    "_limits", "_loss",    "_multiplier",
    "_pdrop",     "_placeholder",    "_prob",      "_scale",  "_scaling", "_scaling_factor",
    "_seed",      "_start_id",       "_std",       "_theta",  "_token",   "_token_id",
    "_token_ids", "_token_index",    "_token_len", "_tokens", "_version", "_batch_size",
    "_epochs",    "_implementation", "_seconds"};
constexpr std::string_view harmless_words[] = {"activation",
                                               "beam",
                                               "cache",
                                               "checkpointing",
                                               "dropout",
                                               "implementation",
                                               "initialization",
                                               "loss",
                                               "repeat_ngram",
                                               "norm",
                                               "fp32",
                                               "ntk",
                                               "penalty",
                                               "softcap",
                                               "temperature",
                                               "tokenizer",
                                               "pos_emb",
                                               "position_embedding",
                                               "routing_bias",
                                               "router_bias",
                                               "expert_bias",
                                               "log_n",
                                               "logn",
                                               "warmup",
                                               "sink"};

/// But these change a count in spite of their names.
constexpr std::string_view telling_all_the_same[] = {
    "num_experts_per_token", "experts_per_token",   "num_cache_layers",
    "kv_cache_dtype",        "output_gate",         "cache_dtype",
    "kv_cache_scheme",       "kv_cache_quant_algo", "kv_cache_quant_config"};

constexpr std::string_view telling[] = {
    "attention", "attn",   "block", "channel", "chunk", "compress", "conv",   "depth", "dim",
    "embed",     "expert", "ffn",   "gate",    "group", "head",     "hidden", "index", "inter",
    "kv",        "latent", "layer", "lora",    "mamba", "mlp",      "moe",    "mtp",   "n_",
    "nextn",     "num",    "quant", "rank",    "share", "size",     "sparse", "ssm",   "state",
    "stride",    "tie",    "topk",  "vocab",   "width", "window"};

template <size_t N>
bool any_of(const std::string_view (&words)[N], auto matches) {
  return std::any_of(std::begin(words), std::end(words), matches);
}

}  // namespace

bool does_not_matter(std::string_view key) {
  if (any_of(telling_all_the_same, [&](std::string_view each) { return key == each; }))
    return false;
  return is_harmless(key) ||
         any_of(harmless_starts, [&](std::string_view start) { return key.starts_with(start); }) ||
         any_of(harmless_ends, [&](std::string_view end) { return key.ends_with(end); }) ||
         any_of(harmless_words,
                [&](std::string_view word) { return key.find(word) != std::string_view::npos; });
}

bool states_formats(std::string_view key) {
  return key.find("quant") != std::string_view::npos || key == "compression_config";
}

bool may_matter(std::string_view key) {
  return any_of(telling,
                [&](std::string_view word) { return key.find(word) != std::string_view::npos; });
}

}  // namespace afford::config
