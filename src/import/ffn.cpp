// Dense and expert FFNs, and which layer has which.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "import/builder.hpp"
#include "text/number.hpp"

namespace afford::config {
namespace {

/// Grouped routing (Pangu) spreads the active experts over groups; the counts are the same.
void set_routing_aside(Builder& b) {
  for (const char* key :
       {"moe_expert_groups", "num_experts_per_group", "moe_layer_freq", "mlp_layer_types",
        "is_moe_layer", "moe_shared_expert_intermediate_size", "attention_head_dim"})
    b.in.set_aside(key);
}

/// Writes the two kinds of layers that b.moe asks for.
void finish(Builder& b, std::string_view expert_width, std::string_view dense_width) {
  const bool sparse = std::find(b.moe.begin(), b.moe.end(), true) != b.moe.end();
  const bool dense = std::find(b.moe.begin(), b.moe.end(), false) != b.moe.end();
  if (dense) {
    b.out.ffns.push_back(
        {"dense",
         {{"kind", "dense", ""}, integer_field(b, "intermediate", dense_width, limits::width)}});
  } else {
    b.in.set_aside(dense_width);  // stated, but no layer is dense
  }
  if (sparse) b.out.ffns.push_back(expert_part(b, expert_width));
  for (const bool moe : b.moe) b.out.ffn_of.emplace_back(moe ? "moe" : "dense");
  set_routing_aside(b);
}

/// Experts in every layer from the first on that is not dense.
void after(Builder& b, std::int64_t dense_layers) {
  b.moe.assign(static_cast<size_t>(b.layers), true);
  std::fill_n(b.moe.begin(), std::min(dense_layers, b.layers), false);
}

/// "4,5,6" or [4, 5, 6], counted from zero.
std::vector<std::int64_t> layer_list(Builder& b, std::string_view key) {
  const json::Value* value = b.in.find(key);
  if (value == nullptr || value->kind != json::Value::Kind::text)
    return b.in.integers(key, {0, b.layers - 1});
  std::vector<std::int64_t> result;
  const std::string text = value->text;
  for (size_t at = 0; at < text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    const auto layer = parse_integer(std::string_view(text).substr(at, comma - at));
    if (!layer || *layer < 0 || *layer >= b.layers) {
      b.in.fail(key, fmt::format("expected layers from 0 to {} between commas, got '{}'",
                                 b.layers - 1, text.substr(at, std::min<size_t>(comma - at, 20))));
    }
    result.push_back(*layer);
    at = comma + 1;
  }
  return result;
}

/// mlp_layer_types says "dense" or "sparse" for each layer; K-EXAONE has is_moe_layer.
bool listed_layers(Builder& b) {
  const bool types = b.in.has("mlp_layer_types");
  if (!types && !b.in.has("is_moe_layer")) return false;
  const char* key = types ? "mlp_layer_types" : "is_moe_layer";
  const json::Value* list = b.in.find(key);
  if (list->items.size() < static_cast<size_t>(b.layers)) {
    b.in.fail(key, fmt::format("expected one entry for each of {} layers, got {}", b.layers,
                               list->items.size()));
  }
  b.moe.clear();
  for (std::int64_t i = 0; i < b.layers; ++i) {
    const json::Value& item = list->items[static_cast<size_t>(i)];
    // DeepSeek-V4 names its experts by how they are chosen.
    const bool v4 = types && (item.text == "moe" || item.text == "hash_moe");
    const bool sparse = v4 || item.text == (types ? "sparse" : "true");
    if (!sparse && item.text != (types ? "dense" : "false")) {
      b.in.fail(key,
                fmt::format("expected {} for each layer, got {}",
                            types ? "'dense' or 'sparse'" : "true or false", json::describe(item)));
    }
    b.moe.push_back(sparse);
  }
  for (const char* said : {"first_k_dense_replace", "decoder_sparse_step", "mlp_only_layers"})
    b.in.set_aside(said);
  return true;
}

/// moe_layer_freq as a list: 1 for experts, 0 for a dense FFN.
void read_layer_flags(Builder& b) {
  if (!b.in.has("moe_layer_freq") || b.in.find("moe_layer_freq")->kind != json::Value::Kind::list)
    return;
  const auto flags = b.in.integers("moe_layer_freq", {0, 1});
  if (flags.size() != b.moe.size())
    b.in.fail("moe_layer_freq", "expected one entry for each layer");
  for (size_t i = 0; i < flags.size(); ++i) b.moe[i] = flags[i] == 1;
}

/// A gated family whose activation only goes with two matrices is another one's config.
void refuse_ungated(Builder& b) {
  const bool bitnet = b.in.has("model_type") && b.in.text("model_type") == "bitnet";
  for (const char* key : {"hidden_act", "hidden_activation", "activation_function"}) {
    const json::Value* value = b.in.find(key);
    if (bitnet || value == nullptr) continue;
    const std::string& act = value->text;
    if (act != "relu2" && act != "xielu" && act != "relu") continue;
    b.in.fail(
        key, fmt::format("'{}' goes with FFNs of two matrices, and this family's have three", act));
  }
}

}  // namespace

void plan_dense(Builder& b) {
  refuse_ungated(b);
  if (expert_count(b) > 1)
    b.in.fail("num_experts", "this family is dense, but the config has experts");
  if (expert_count(b) == 1) {  // Hunyuan's dense configs state one, which every token visits
    for (const char* one : {"moe_topk", "num_experts_per_tok", "num_shared_expert",
                            "moe_layer_num_skipped", "use_mixed_mlp_moe"})
      b.in.set_aside(one);
  }
  b.moe.assign(static_cast<size_t>(b.layers), false);
  finish(b, "", "intermediate_size");
}

/// DeepSeek, GLM and Kimi: first_k_dense_replace dense layers, then experts in all.
void plan_first_dense(Builder& b) {
  const auto width = b.in.any({"moe_intermediate_size", "expert_hidden_dim"});  // Hunyuan 3: both
  if (listed_layers(b)) return finish(b, width, "intermediate_size");
  if (b.in.has("moe_layer_freq") &&
      b.in.find("moe_layer_freq")->kind == json::Value::Kind::number &&
      b.in.integer("moe_layer_freq", limits::layers) != 1) {
    b.in.fail("moe_layer_freq",
              "only 1, experts in every layer after the first ones, is understood");
  }
  if (expert_count(b) == 0) {
    b.moe.assign(static_cast<size_t>(b.layers), false);
  } else {
    after(b, b.in.integer_or(b.in.any({"first_k_dense_replace", "num_dense_layers"}),
                             {0, limits::layers.most}, 0, "experts in every layer"));
  }
  read_layer_flags(b);
  finish(b, width, "intermediate_size");
}

/// MiniMax-M2 has experts in every layer; M3 says for each layer, and gives the dense ones a width.
void plan_minimax_moe(Builder& b) {
  if (!listed_layers(b)) {
    after(b, 0);
    read_layer_flags(b);
  }
  b.in.set_aside("first_k_dense_replace");
  const bool own = b.in.has("dense_intermediate_size");
  finish(b, b.in.any({"intermediate_size", "moe_intermediate_size"}),
         own ? "dense_intermediate_size" : "intermediate_size");
}

/// Qwen: experts every decoder_sparse_step layers, but for mlp_only_layers.
void plan_sparse_step(Builder& b) {
  if (listed_layers(b)) return finish(b, "moe_intermediate_size", "intermediate_size");
  const std::int64_t step =
      b.in.integer_or("decoder_sparse_step", limits::layers, 1, "experts in every layer");
  const bool any = expert_count(b) > 0;
  b.moe.assign(static_cast<size_t>(b.layers), false);
  for (std::int64_t i = 0; i < b.layers; ++i)
    b.moe[static_cast<size_t>(i)] = any && (i + 1) % step == 0;
  if (b.in.has("mlp_only_layers")) {
    for (const std::int64_t layer : layer_list(b, "mlp_only_layers"))
      b.moe[static_cast<size_t>(layer)] = false;
  }
  finish(b, "moe_intermediate_size", "intermediate_size");
}

/// Mixtral, MiniMax, gpt-oss: experts in every layer; their width is intermediate_size unless there
/// is a moe_intermediate_size.
void plan_all_moe(Builder& b) {
  after(b, b.in.has("moe_layer_num_skipped")
               ? b.in.integer("moe_layer_num_skipped", {0, limits::layers.most})
               : 0);
  finish(b, b.in.has("moe_intermediate_size") ? "moe_intermediate_size" : "intermediate_size",
         "intermediate_size");
}

/// Llama 4: every interleave_moe_layer_step-th layer has experts of intermediate_size and one
/// shared expert as wide; the others are dense with intermediate_size_mlp.
void plan_llama4_moe(Builder& b) {
  b.moe.assign(static_cast<size_t>(b.layers), false);
  if (b.in.has("moe_layers")) {
    for (const std::int64_t layer : layer_list(b, "moe_layers"))
      b.moe[static_cast<size_t>(layer)] = true;
    b.in.set_aside("interleave_moe_layer_step");
  } else {
    const std::int64_t step = b.in.integer_or("interleave_moe_layer_step", limits::layers, 1,
                                              "Llama4TextConfig: every layer");
    for (std::int64_t i = 0; i < b.layers; ++i) b.moe[static_cast<size_t>(i)] = (i + 1) % step == 0;
  }
  finish(b, "intermediate_size", "intermediate_size_mlp");
  if (b.out.ffns.back().name == "moe") {
    b.out.ffns.back().fields.push_back({"shared_experts", "1", "Llama4TextMoe: one shared expert"});
    b.in.note_default("shared experts", "1", "Llama4TextMoe");
  }
}

/// Step-3 and 3.5: the layers of moe_layers_enum have experts.
void plan_step_moe(Builder& b) {
  if (!b.in.has("moe_layers_enum")) return plan_first_dense(b);
  b.moe.assign(static_cast<size_t>(b.layers), false);
  if (expert_count(b) > 0) {
    for (const std::int64_t layer : layer_list(b, "moe_layers_enum"))
      b.moe[static_cast<size_t>(layer)] = true;
  }
  finish(b, "moe_intermediate_size", "intermediate_size");
}

/// ERNIE 4.5: every moe_layer_interval-th layer from a first to a last one.
void plan_ernie_moe(Builder& b) {
  const yaml::Range layer{0, limits::layers.most};
  const std::int64_t first =
      b.in.integer_or("moe_layer_start_index", layer, 0, "Ernie4_5_MoeConfig");
  std::int64_t last =
      b.in.integer_or("moe_layer_end_index", {-1, limits::layers.most}, -1, "the last layer");
  if (last < 0) last = b.layers - 1;
  const std::int64_t step =
      b.in.integer_or("moe_layer_interval", limits::layers, 1, "Ernie4_5_MoeConfig");
  const bool any = expert_count(b) > 0;
  b.moe.assign(static_cast<size_t>(b.layers), false);
  for (std::int64_t i = first; i <= std::min(last, b.layers - 1); ++i) {
    b.moe[static_cast<size_t>(i)] = any && (i + 1) % step == 0;
  }
  finish(b, "moe_intermediate_size", "intermediate_size");
}

/// Grok-2 and Gemma 4: every layer has experts, and a dense MLP whose output is added to theirs: a
/// shared expert by another name.
void plan_moe_beside_dense(Builder& b) {
  const bool beside = b.in.has("moe_intermediate_size");
  b.moe.assign(static_cast<size_t>(b.layers), true);
  finish(b, beside ? "moe_intermediate_size" : "intermediate_size", "intermediate_size");
  b.in.set_aside("residual_moe");
  if (!beside) return;
  Part& moe = b.out.ffns.back();
  moe.beside_mlp = true;
  moe.fields.push_back({"shared_experts", "1", "the dense MLP beside the experts"});
  moe.fields.push_back(integer_field(b, "shared_intermediate", "intermediate_size", limits::width));
}

/// Arctic: experts in every moe_layer_frequency-th layer and, with parallel_attn_mlp_res, beside
/// them an MLP as wide as the hidden state that starts from the layer's input.
void plan_arctic_moe(Builder& b) {
  const std::int64_t step =
      b.in.integer_or("moe_layer_frequency", limits::layers, 2, "ArcticConfig");
  b.moe.assign(static_cast<size_t>(b.layers), false);
  for (std::int64_t i = 0; i < b.layers; ++i) b.moe[static_cast<size_t>(i)] = (i + 1) % step == 0;
  const bool beside = b.in.flag("parallel_attn_mlp_res", false, "ArcticConfig");
  b.in.set_aside("use_residual");
  finish(b, "intermediate_size", "intermediate_size");
  if (!beside || b.out.ffns.back().name != "moe") return;
  Part& moe = b.out.ffns.back();
  moe.fields.push_back({"shared_experts", "1", "parallel_attn_mlp_res: the dense MLP beside"});
  moe.fields.push_back(integer_field(b, "shared_intermediate", "hidden_size", limits::width));
}

/// LongCat-Flash: a dense MLP in each of a layer's two halves, the experts beside the second. Of
/// the moe_topk a token selects, as many as the zero experts' share do nothing.
void plan_longcat_moe(Builder& b) {
  b.moe.assign(static_cast<size_t>(b.layers), false);
  for (size_t i = 1; i < b.moe.size(); i += 2) b.moe[i] = true;
  finish(b, "moe_intermediate_size", "intermediate_size");
  Part& moe = b.out.ffns.back();
  moe.fields.push_back({"shared_experts", "1", "the dense MLP beside the experts"});
  moe.fields.push_back(integer_field(b, "shared_intermediate", "intermediate_size", limits::width));
  const std::int64_t zero =
      b.in.integer_or("zero_expert_num", {0, limits::experts.most}, 0, "no zero experts");
  b.in.set_aside("zero_expert_type");
  if (zero == 0) return;
  for (Field& field : moe.fields) {
    if (field.key != "active") continue;
    const double real = static_cast<double>(integer_of(moe, "experts"));
    const double chosen = static_cast<double>(integer_of(moe, "active"));
    const auto share =
        static_cast<std::int64_t>(std::lround(chosen * real / (real + static_cast<double>(zero))));
    field = {"active", fmt::format("{}", std::max<std::int64_t>(1, share)),
             fmt::format("{} of {} + {} zero experts, on average", field.value,
                         integer_of(moe, "experts"), zero)};
  }
}

}  // namespace afford::config
