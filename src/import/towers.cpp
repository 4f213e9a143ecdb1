// Towers for pictures and sound: not decoded, but held in memory beside the language model.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "import/builder.hpp"
#include "import/tower.hpp"
#include "text/number.hpp"

namespace afford::config {
namespace {

std::optional<double> positive(const json::Value* value, double most) {
  if (value == nullptr || value->kind != json::Value::Kind::number) return std::nullopt;
  const auto number = parse_real(value->text);
  return number && *number > 0 && *number <= most ? number : std::nullopt;
}

bool starts_with_any(std::string_view type, std::initializer_list<std::string_view> starts) {
  return std::any_of(starts.begin(), starts.end(),
                     [&](std::string_view start) { return type.starts_with(start); });
}

/// The tower's own model_type, or the model's.
std::string type_of(const Tower& tower) {
  const std::string own = tower.text("model_type");
  return own.empty() ? tower.model : own;
}

/// Rows of a learned table of positions; those that rotate have none.
double positions(const Tower& t) {
  if (const auto rows = t.stated({"num_position_embeddings", "num_patches"})) return *rows;
  if (const auto rows = t.stated({"position_embedding_size"})) return 2 * *rows;  // Gemma 4: x, y
  if (const auto rows = t.stated({"init_pos_emb_height"}))
    return *rows * t.number({"init_pos_emb_width"}, *rows);
  const std::string type = type_of(t);
  if (starts_with_any(type, {"pixtral", "qwen2", "dots", "minimax_m3", "mistral3"})) return 0;
  const auto image = t.stated({"image_size"}), patch = t.stated({"patch_size"});
  return image && patch ? (*image / *patch) * (*image / *patch) : 0;
}

/// Two matrices an MLP as CLIP and SigLIP have them, three where there is a gate.
double matrices_of(const std::string& type) {
  return starts_with_any(type, {"pixtral", "qwen2_5_vl", "gemma4_vision", "glm4v",
                                "qwen2_5_omni_vision", "dots", "mistral3"})
             ? 3
             : 2;
}

/// GLM-4V's MLPs are as wide as what comes out; its intermediate_size is the merger's.
std::optional<double> mlp_width(const Tower& t, const std::string& type) {
  if (type.starts_with("glm4v")) return t.stated({"out_hidden_size"});
  if (const auto wide =
          t.stated({"intermediate_size", "vt_intermediate_size", "encoder_ffn_dim", "mlp_dim"}))
    return wide;
  constexpr double usual = 4;
  return t.width() * t.number({"mlp_ratio"}, usual);
}

/// A conformer's layer: four projections and one of relative positions, two MLPs of four times the
/// width, and a gated convolution between two matrices.
double conformer_params(double layers, double hidden) {
  constexpr double attention = 5, mlps = 2 * 2 * 4, convolution = 3;
  return layers * (attention + mlps + convolution) * hidden * hidden;
}

/// Four projections and an MLP a layer, the patches' embedding and their positions: 4 h^2 + m h i
/// each, where the config gives the shape.
std::optional<double> tower_params(const Tower& t) {
  constexpr double most_layers = 1024, colours = 3;
  const auto layers =
      t.stated({"num_hidden_layers", "depth", "encoder_layers", "vt_num_hidden_layers",
                "conf_num_hidden_layers", "num_layers", "layers"},
               most_layers);
  const std::string type = type_of(t);
  if (layers && starts_with_any(type, {"gemma3n_audio", "gemma4_audio"}))
    return conformer_params(*layers, t.width());
  const auto wide = t.width() > 0 ? mlp_width(t, type) : std::nullopt;
  if (!layers || !wide) return std::nullopt;
  const double hidden = t.width(), patch = t.number({"patch_size"}, 0),
               frames = t.number({"temporal_patch_size"}, 1);
  return *layers * (4 * hidden * hidden + matrices_of(type) * hidden * *wide) +
         (colours * frames * patch * patch + positions(t)) * hidden;
}

using BridgeOf = std::optional<Bridge> (*)(const Tower&);

void add_tower(Builder& b, std::string_view key, const std::string& name, BridgeOf bridge_of) {
  const json::Value* object = b.in.find(key);
  if (object == nullptr || object->kind != json::Value::Kind::object || object->members.empty())
    return;
  const Tower tower{.in = b.in,
                    .object = *object,
                    .model = b.in.model_as_a_whole(),
                    .hidden = static_cast<double>(b.hidden)};
  const auto params = tower_params(tower);
  if (!params) {
    b.in.note_default(name + " tower", "not counted", "the config does not give its shape");
    return;
  }
  hold(b, key, {name, *params, fmt::format("{}: attention, MLPs, patches and positions", key)});
  b.in.note_default(name + " tower", fmt::format("{:.3g}B parameters", *params / 1e9),
                    "attention, MLPs, patches and positions; held in memory, not decoded");
  const auto bridge = bridge_of(tower);
  if (!bridge) {
    b.in.note_default(name + " projector", "not counted",
                      fmt::format("that of {} is not known", tower.model));
    return;
  }
  hold(b, key, {name + "-projector", bridge->params, std::string(bridge->what)});
  b.in.note_default(name + " projector", fmt::format("{:.3g}B parameters", bridge->params / 1e9),
                    bridge->what);
}

}  // namespace

std::optional<double> Tower::stated(Names names, double most) const {
  for (const std::string_view name : names) {
    if (const auto value = positive(json::member(object, name), most)) return value;
  }
  return std::nullopt;
}

double Tower::number(Names names, double fallback) const {
  return stated(names).value_or(fallback);
}

double Tower::number_of_model(std::string_view name, double fallback) const {
  constexpr double most = 1 << 20;
  if (const auto own = stated({name})) return *own;
  return positive(in.find(name), most).value_or(fallback);
}

std::string Tower::text(std::string_view name) const {
  const json::Value* value = json::member(object, name);
  return value == nullptr ? "" : value->text;
}

int Tower::entries(std::string_view name) const {
  constexpr size_t most = 64;
  const json::Value* value = json::member(object, name);
  if (value == nullptr || value->kind != json::Value::Kind::list) return -1;
  return static_cast<int>(std::min(value->items.size(), most));
}

/// Qwen2-VL's hidden_size is what its merger puts out; its own width is embed_dim.
double Tower::width() const {
  constexpr double most = 1 << 16;
  return stated({"embed_dim", "vt_hidden_size", "d_model", "hidden_size", "width"}, most)
      .value_or(0);
}

void hold(Builder& b, std::string_view key, const Held& held) {
  if (!(held.params >= 1 && held.params <= limits::held_params)) {
    b.in.fail(key, fmt::format("expected the shape of 1 to {:g} parameters ({}), got one of {:.4g}",
                               limits::held_params, held.name, held.params));
  }
  b.out.held.push_back({held.name, {{"params", fmt::format("{:.8g}", held.params), held.comment}}});
}

void plan_towers(Builder& b) {
  add_tower(b, "vision_config", "vision", picture_bridge);
  if (b.in.model_as_a_whole() == "qwen")
    add_tower(b, "visual", "vision", picture_bridge);  // Qwen-VL
  add_tower(b, "audio_config", "audio", sound_bridge);
}

}  // namespace afford::config
