// Towers for pictures and sound: not decoded, but held in memory beside the language model.
#include <fmt/format.h>

#include <optional>

#include "import/builder.hpp"
#include "text/number.hpp"

namespace afford::config {
namespace {

using Names = std::initializer_list<std::string_view>;

std::optional<double> number(const json::Value& object, Names names, double most) {
  for (const std::string_view name : names) {
    for (const json::Member& each : object.members) {
      if (each.key != name || each.value.kind != json::Value::Kind::number) continue;
      const auto value = parse_real(each.value.text);
      if (value && *value > 0 && *value <= most) return value;
    }
  }
  return std::nullopt;
}

std::string text(const json::Value& object, std::string_view name) {
  for (const json::Member& each : object.members) {
    if (each.key == name) return each.value.text;
  }
  return "";
}

/// These have a gate in their MLPs; the others, as CLIP and SigLIP, two matrices.
bool is_gated(const std::string& type) {
  constexpr std::string_view gated[] = {"pixtral", "qwen2_5_vl", "gemma4_vision", "glm4v",
                                        "qwen2_5_omni_vision"};
  for (const std::string_view each : gated) {
    if (std::string_view(type).starts_with(each)) return true;
  }
  return false;
}

/// Four projections and an MLP a layer, and the patches' embedding: 4 h^2 + m h i each, where the
/// config gives the shape.
std::optional<double> tower_params(Builder& b, const json::Value& object) {
  constexpr double most_width = 1 << 16, most_layers = 1024, colours = 3;
  const auto layers = number(object,
                             {"num_hidden_layers", "depth", "encoder_layers",
                              "vt_num_hidden_layers", "num_layers", "layers"},
                             most_layers);
  const auto hidden = number(
      object, {"embed_dim", "vt_hidden_size", "d_model", "hidden_size", "width"}, most_width);
  if (!layers || !hidden) return std::nullopt;
  auto wide =
      number(object, {"intermediate_size", "vt_intermediate_size", "encoder_ffn_dim", "mlp_dim"},
             most_width);
  if (!wide) {
    const auto ratio = number(object, {"mlp_ratio"}, 16);
    wide = *hidden * ratio.value_or(4);
  }
  std::string type = text(object, "model_type");
  if (type.empty() && b.in.has("model_type")) type = b.in.text("model_type");
  const double matrices = is_gated(type) ? 3 : 2;
  const double patch = number(object, {"patch_size"}, most_width).value_or(0);
  return *layers * (4 * *hidden * *hidden + matrices * *hidden * *wide) +
         colours * patch * patch * *hidden;
}

void add_tower(Builder& b, std::string_view key, const std::string& name) {
  const json::Value* object = b.in.find(key);
  if (object == nullptr || object->kind != json::Value::Kind::object || object->members.empty())
    return;
  if (const auto params = tower_params(b, *object)) {
    b.out.held.push_back({name,
                          {{"params", fmt::format("{:.4g}", *params),
                            fmt::format("{}: attention, MLPs and patches", key)}}});
    b.in.note_default(name + " tower", fmt::format("{:.3g}B parameters", *params / 1e9),
                      "held in memory, not decoded");
  } else {
    b.in.note_default(name + " tower", "not counted", "the config does not give its shape");
  }
}

}  // namespace

void plan_towers(Builder& b) {
  add_tower(b, "vision_config", "vision");
  add_tower(b, "audio_config", "audio");
}

}  // namespace afford::config
