#include "import/module_names.hpp"

#include <fmt/format.h>

#include <initializer_list>
#include <string_view>

#include "import/builder.hpp"

namespace afford::config {
namespace {

using Words = std::initializer_list<std::string_view>;

double real(const Part& part, std::string_view key) {
  return static_cast<double>(integer_of(part, key));
}

std::string text_of(const Part& part, std::string_view key) {
  for (const Field& field : part.fields) {
    if (field.key == key) return field.value;
  }
  return "";
}

/// Every holder with every leaf: {"self_attn", "attn"} x {"o_proj", "dense"}.
Module module(Words holders, Words leaves, double weights) {
  Module result{.names = {}, .weights = weights};
  for (const std::string_view leaf : leaves) {
    for (const std::string_view holder : holders)
      result.names.push_back(fmt::format("{}.{}", holder, leaf));
  }
  return result;
}

constexpr std::string_view attention_holders[] = {"self_attn", "attention", "attn",
                                                  "self_attention", "mixer"};

Module projection(Words leaves, double weights) {
  Module result{.names = {}, .weights = weights};
  for (const std::string_view leaf : leaves) {
    for (const std::string_view holder : attention_holders)
      result.names.push_back(fmt::format("{}.{}", holder, leaf));
  }
  return result;
}

std::vector<Module> gqa_modules(const Part& part, double hidden) {
  const double query = real(part, "query_heads") * real(part, "head_dim");
  const double value_dim =
      integer_of(part, "value_dim") > 0 ? real(part, "value_dim") : real(part, "head_dim");
  const double result = real(part, "query_heads") * value_dim;
  const bool gated = text_of(part, "output_gate") == "element";
  std::vector<Module> modules = {
      projection({"q_proj", "wq", "qkv_proj", "query_key_value", "qkv", "Wqkv", "wqkv", "W_pack",
                  "c_attn"},
                 hidden * query * (gated ? 2 : 1)),
      projection({"o_proj", "wo", "dense", "out_proj", "c_proj"}, hidden * result)};
  if (text_of(part, "output_gate") == "head")
    modules.push_back(projection({"g_proj"}, hidden * real(part, "query_heads")));
  if (text_of(part, "reuses_kv") == "true") return modules;
  const double heads = real(part, "kv_heads");
  const bool joined = text_of(part, "keys_are_values") == "true";
  const auto add = [&](Words own, double width) {
    Module each = projection(own, hidden * width);
    const Module fused =
        projection({"qkv_proj", "query_key_value", "qkv", "Wqkv", "wqkv", "W_pack", "c_attn"}, 0);
    each.names.insert(each.names.end(), fused.names.begin(), fused.names.end());
    modules.push_back(std::move(each));
  };
  add({"k_proj", "wk"}, heads * real(part, "head_dim"));
  add({"v_proj", "wv"}, joined ? 0 : heads * value_dim);
  return modules;
}

std::vector<Module> mfa_modules(const Part& part, double hidden) {
  const double query = real(part, "query_heads") * real(part, "head_dim");
  const double dim = real(part, "head_dim"), rank = real(part, "query_rank");
  return {projection({"q_proj", "qkv_proj"}, hidden * rank),
          projection({"wq", "q_up_proj"}, rank * query),
          projection({"k_proj", "qkv_proj"}, hidden * dim),
          projection({"v_proj", "qkv_proj"}, hidden * dim), projection({"o_proj"}, hidden * query)};
}

void add_indexer_modules(std::vector<Module>& modules, const Part& part, double inputs,
                         double hidden) {
  if (integer_of(part, "top_k") == 0 || text_of(part, "reuses_selection") == "true") return;
  const double heads = real(part, "index_heads"), dim = real(part, "index_dim");
  modules.push_back(projection({"indexer.wq_b"}, inputs * heads * dim));
  modules.push_back(projection({"indexer.wk"}, hidden * dim));
  modules.push_back(projection({"indexer.weights_proj", "indexers_proj"}, hidden * heads));
}

std::vector<Module> mla_modules(const Part& part, double hidden) {
  const double heads = real(part, "query_heads"), rank = real(part, "kv_rank");
  const double nope = real(part, "nope_dim"), rope = real(part, "rope_dim"),
               value = real(part, "value_dim"), query_rank = real(part, "query_rank");
  std::vector<Module> modules = {
      projection({"kv_a_proj_with_mqa", "fused_qkv_a_proj_with_mqa", "fused_qkv_a_proj"},
                 hidden * (rank + rope)),
      projection({"kv_b_proj"}, rank * heads * (nope + value)),
      projection({"o_proj"}, hidden * heads * value)};
  if (query_rank > 0) {
    modules.push_back(projection({"q_a_proj", "fused_qkv_a_proj_with_mqa", "fused_qkv_a_proj"},
                                 hidden * query_rank));
    modules.push_back(projection({"q_b_proj"}, query_rank * heads * (nope + rope)));
  } else {
    modules.push_back(projection({"q_proj"}, hidden * heads * (nope + rope)));
  }
  if (text_of(part, "output_gate") == "true")
    modules.push_back(projection({"g_proj", "gate_proj"}, hidden * heads * value));
  add_indexer_modules(modules, part, query_rank, hidden);
  return modules;
}

std::vector<Module> compressed_modules(const Part& part, double hidden) {
  const double query = real(part, "query_heads") * real(part, "head_dim");
  const double rank = real(part, "query_rank"), groups = real(part, "output_groups"),
               output_rank = real(part, "output_rank");
  std::vector<Module> modules = {
      projection({"wq_a", "q_a_proj", "fused_wqa_wkv"}, hidden * rank),
      projection({"wq_b", "q_b_proj"}, rank * query),
      projection({"wkv", "kv_proj", "fused_wqa_wkv"}, hidden * real(part, "head_dim")),
      projection({"wo_a", "o_a_proj"}, query * output_rank),
      projection({"wo_b", "o_b_proj"}, groups * output_rank * hidden)};
  add_indexer_modules(modules, part, rank, hidden);
  return modules;
}

std::vector<Module> delta_modules(const Part& part, double hidden) {
  const double key = real(part, "key_heads") * real(part, "key_dim"),
               value = real(part, "value_heads") * real(part, "value_dim");
  return {module({"linear_attn"}, {"in_proj_qkvz", "in_proj_qkv"}, hidden * (2 * key + value)),
          module({"linear_attn"}, {"in_proj_qkvz", "in_proj_z"}, hidden * value),
          module({"linear_attn"}, {"in_proj_ba", "in_proj_b", "in_proj_a"},
                 hidden * 2 * real(part, "value_heads")),
          module({"linear_attn"}, {"out_proj"}, hidden * value)};
}

std::vector<Module> kda_modules(const Part& part, double hidden) {
  const double dim = real(part, "head_dim"), width = real(part, "heads") * dim;
  std::vector<Module> modules;
  for (const std::string_view each : {"q_proj", "k_proj", "v_proj", "o_proj"})
    modules.push_back(projection({each}, hidden * width));
  for (const std::string_view each : {"f_a_proj", "g_a_proj"})
    modules.push_back(projection({each}, hidden * dim));
  for (const std::string_view each : {"f_b_proj", "g_b_proj"})
    modules.push_back(projection({each}, dim * width));
  modules.push_back(projection({"b_proj"}, hidden * real(part, "heads")));
  if (text_of(part, "full_rank_gate") == "true")
    modules.push_back(projection({"g_proj"}, hidden * width));
  return modules;
}

std::vector<Module> lightning_modules(const Part& part, double hidden) {
  const double width = real(part, "heads") * real(part, "head_dim");
  return {projection({"qkv_proj", "query_key_value"}, 3 * hidden * width),
          projection({"output_gate", "g_proj"}, hidden * width),
          projection({"out_proj", "o_proj", "dense"}, hidden * width)};
}

std::vector<Module> mamba_modules(const Part& part, double hidden) {
  const double inner = real(part, "heads") * real(part, "head_dim");
  const double shared = real(part, "groups") * real(part, "state_dim");
  return {module({"mixer", "mamba", "linear_attn"}, {"in_proj"},
                 hidden * (2 * inner + 2 * shared + real(part, "heads"))),
          module({"mixer", "mamba", "linear_attn"}, {"out_proj"}, hidden * inner)};
}

std::vector<Module> mamba1_modules(const Part& part, double hidden) {
  const double channels = real(part, "channels"), rank = real(part, "dt_rank");
  const Words holders = {"mixer", "mamba"};
  return {module(holders, {"in_proj"}, 2 * hidden * channels),
          module(holders, {"x_proj"}, channels * (rank + 2 * real(part, "state_dim"))),
          module(holders, {"dt_proj"}, rank * channels),
          module(holders, {"out_proj"}, hidden * channels)};
}

std::vector<Module> msa_modules(const Part& part, double hidden) {
  std::vector<Module> modules = gqa_modules(part, hidden);
  const double dim = real(part, "index_dim");
  modules.push_back(
      projection({"index_q_proj", "indexer.q_proj"}, hidden * real(part, "index_heads") * dim));
  modules.push_back(projection({"index_k_proj", "indexer.k_proj"}, hidden * dim));
  return modules;
}

std::vector<Module> convolution_modules(const Part& part, double hidden) {
  const double channels = real(part, "channels");
  return {module({"conv"}, {"in_proj"}, 3 * hidden * channels),
          module({"conv"}, {"out_proj"}, hidden * channels)};
}

/// Names in transformers: shared_transformer.self_attn, and a linear behind it.
std::vector<Module> concat_modules(const Part& part, double hidden) {
  const double query = real(part, "query_heads") * real(part, "head_dim"),
               keys = real(part, "kv_heads") * real(part, "head_dim");
  const double rank = real(part, "adapter_rank");
  return {projection({"q_proj"}, 2 * hidden * query),
          projection({"k_proj"}, 2 * hidden * keys),
          projection({"v_proj"}, 2 * hidden * keys),
          projection({"o_proj"}, hidden * query),
          projection({"linear_q_adapter_list"}, rank * (2 * hidden + query)),
          projection({"linear_k_adapter_list"}, rank * (2 * hidden + keys)),
          projection({"linear_v_adapter_list"}, rank * (2 * hidden + keys)),
          {.names = {"linear"}, .weights = hidden * hidden}};
}

std::vector<Module> rwkv7_modules(const Part& part, double hidden) {
  const double width = real(part, "heads") * real(part, "head_dim");
  std::vector<Module> modules;
  for (const std::string_view each : {"r_proj", "k_proj", "v_proj", "o_proj"})
    modules.push_back(projection({each}, hidden * width));
  constexpr std::pair<std::string_view, std::string_view> low_ranks[] = {{"w_lora", "decay_rank"},
                                                                         {"a_lora", "rate_rank"},
                                                                         {"v_lora", "value_rank"},
                                                                         {"g_lora", "gate_rank"}};
  for (const auto& [name, rank] : low_ranks)
    modules.push_back(projection({name}, (hidden + width) * real(part, rank)));
  return modules;
}

std::vector<Module> mlp_modules(Words holders, double weights, bool gated) {
  if (!gated) {
    return {module(holders, {"up_proj", "fc1", "c_fc", "w1", "dense_h_to_4h"}, weights),
            module(holders, {"down_proj", "fc2", "c_proj", "w2", "dense_4h_to_h"}, weights)};
  }
  return {module(holders, {"gate_proj", "gate_up_proj", "w1", "gate_and_up_proj"}, weights),
          module(holders, {"up_proj", "gate_up_proj", "w3", "gate_and_up_proj"}, weights),
          module(holders, {"down_proj", "w2"}, weights)};
}

constexpr std::pair<std::string_view, std::vector<Module> (*)(const Part&, double)> kinds[] = {
    {"gqa", gqa_modules},        {"mfa", mfa_modules},
    {"mla", mla_modules},        {"dsa", mla_modules},
    {"csa", compressed_modules}, {"gated_delta_net", delta_modules},
    {"kda", kda_modules},        {"lightning", lightning_modules},
    {"msa", msa_modules},        {"mamba1", mamba1_modules},
    {"mamba2", mamba_modules},   {"short_conv", convolution_modules},
    {"concat", concat_modules},  {"rwkv7", rwkv7_modules},
};

}  // namespace

std::vector<Module> attention_modules(const Part& part, std::int64_t hidden) {
  for (const auto& [kind, modules] : kinds) {
    if (part.fields.front().value == kind) return modules(part, static_cast<double>(hidden));
  }
  return {};
}

std::vector<Module> dense_modules(const Part& part, std::int64_t hidden) {
  if (part.fields.front().value == "none") return {};
  return mlp_modules({"mlp", "feed_forward", "ffn", "mixer", "shared_mlp"},
                     static_cast<double>(hidden) * real(part, "intermediate"),
                     text_of(part, "gated") != "false");
}

std::vector<Module> routed_modules(const Part& part, std::int64_t hidden) {
  const std::int64_t latent = integer_of(part, "latent");
  const double inputs = static_cast<double>(latent > 0 ? latent : hidden);
  const Words within_mlp = {"mlp.experts.0",        "mlp.experts",     "block_sparse_moe.experts.0",
                            "feed_forward.experts", "mixer.experts.0", "moe",
                            "moe.experts.0",        "ffn.experts.0",   "experts"};
  const Words beside_mlp = {"experts.0", "experts", "moe.experts.0", "moe",
                            "block_sparse_moe.experts.0"};
  std::vector<Module> modules =
      mlp_modules(part.beside_mlp ? beside_mlp : within_mlp,
                  inputs * real(part, "intermediate") * real(part, "experts"),
                  text_of(part, "gated") != "false");
  if (latent == 0) return modules;
  for (const std::string_view each : {"fc1_latent_proj", "fc2_latent_proj"})
    modules.push_back(module({"mixer", "mlp"}, {each}, static_cast<double>(hidden) * inputs));
  return modules;
}

std::vector<Module> shared_modules(const Part& part, std::int64_t hidden) {
  const double count = real(part, "shared_experts");
  if (count == 0) return {};
  const std::int64_t stated = integer_of(part, "shared_intermediate");
  const double width = stated > 0 ? static_cast<double>(stated) : real(part, "intermediate");
  if (part.beside_mlp)
    return mlp_modules({"mlp"}, static_cast<double>(hidden) * width * count, true);
  return mlp_modules({"mlp.shared_experts", "mlp.shared_expert", "feed_forward.shared_expert",
                      "share_expert", "mlp.shared_mlp", "shared_mlp", "mixer.shared_experts",
                      "block_sparse_moe.shared_experts", "ffn.shared_experts"},
                     static_cast<double>(hidden) * width * count,
                     text_of(part, "gated") != "false");
}

}  // namespace afford::config
