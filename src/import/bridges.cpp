// What leads from a tower to the language model: mergers, projectors, adapters, by model. The
// matrices alone, as the classes of transformers and of the models' repositories build them.
#include "import/tower.hpp"

namespace afford::config {
namespace {

double square(double x) { return x * x; }

/// Of the tower's width, as many patches as are merged into one.
double merged(const Tower& t) {
  return t.width() * square(t.number_of_model("spatial_merge_size", 2));
}

/// Qwen2-VL and its like: merged -> merged -> out; one more for each layer of deepstack.
Bridge qwen_merger(const Tower& t, int deepstack) {
  const double out =
      t.number({"out_hidden_size"},
               t.stated({"embed_dim"}) ? t.number({"hidden_size"}, t.hidden) : t.hidden);
  return {(1 + deepstack) * (square(merged(t)) + merged(t) * out), "merger"};
}
Bridge merger(const Tower& t) { return qwen_merger(t, 0); }
Bridge deep_mergers(const Tower& t) {
  constexpr int usual = 3;  // Qwen3VLVisionConfig: [8, 16, 24]
  const int stated = t.entries("deepstack_visual_indexes");
  Bridge bridge = qwen_merger(t, stated < 0 ? usual : stated);
  bridge.what = "mergers, those of deepstack among them";
  return bridge;
}

Bridge two_layers(const Tower& t, double inputs) {
  return {inputs * t.hidden + square(t.hidden), "projector"};
}
Bridge llava(const Tower& t) { return two_layers(t, t.width()); }
/// InternVL's mlp1 behind its pixel shuffle.
Bridge shuffled(const Tower& t) {
  return two_layers(t, t.width() / square(t.number_of_model("downsample_ratio", 0.5)));
}
Bridge mistral(const Tower& t) {
  Bridge bridge = llava(t);
  bridge.params += merged(t) * t.width();
  bridge.what = "patch merger and projector";
  return bridge;
}
/// Kimi-VL: four patches -> as wide -> the language model.
Bridge kimi(const Tower& t) {
  constexpr double patches = 4;  // merge_kernel_size [2, 2]
  const double inputs = patches * t.width();
  return {square(inputs) + inputs * t.hidden, "projector"};
}
Bridge one_layer(const Tower& t) { return {t.width() * t.hidden, "projector"}; }
Bridge idefics(const Tower& t) {
  return {t.width() * square(t.number_of_model("scale_factor", 2)) * t.hidden, "connector"};
}
/// GLM-4V: a convolution that takes patches together, and a gated merger.
Bridge glm(const Tower& t) {
  const double out = t.number({"out_hidden_size"}, t.hidden);
  const double inner = t.number({"intermediate_size"}, 0);
  return {merged(t) * out + square(out) + 3 * out * inner, "downsampling and merger"};
}
Bridge llama4(const Tower& t) {
  const double in = t.number({"projector_input_dim"}, 4096),
               out = t.number({"projector_output_dim"}, 4096);
  return {t.number({"intermediate_size"}, 0) * in + square(out) +
              t.number({"vision_output_dim"}, out) * t.hidden,
          "adapter and projector"};
}
/// Aya and Command A Vision: a gate halves what the first matrix puts out.
Bridge cohere(const Tower& t) {
  const double inner = t.number_of_model("alignment_intermediate_size", 36864),
               inputs = t.width() * square(t.number_of_model("downsample_factor", 2));
  return {inputs * inner + inner / 2 * t.hidden, "projector"};
}
Bridge lfm2(const Tower& t) {
  const double inner = t.number_of_model("projector_hidden_size", 2560),
               inputs = t.width() * square(t.number_of_model("downsample_factor", 2));
  return {inputs * inner + inner * t.hidden, "projector"};
}
/// MiniMax-M3: every patch is projected, then four of them.
Bridge minimax_m3(const Tower& t) {
  constexpr double patches = 4;
  const double inner = t.number_of_model("projector_hidden_size", t.hidden);
  return {t.width() * inner + inner * t.hidden + patches * t.hidden * inner + inner * t.hidden,
          "projector and patch merger"};
}
/// Step-3: two convolutions of 2 x 2 and 3 x 3, then a matrix.
Bridge step3(const Tower& t) {
  const double out = t.number({"output_hidden_size"}, 4096);
  return {4 * t.width() * out + 9 * out * 2 * out + 2 * out * t.hidden, "convolutions, projector"};
}
/// MiniCPM-V, and Qwen-VL before it: queries of its own attend to the patches.
Bridge resampler(const Tower& t) {
  return {t.width() * t.hidden + 5 * square(t.hidden), "resampler"};
}
/// ERNIE 4.5 VL: a spatial and a temporal MLP, then a matrix.
Bridge ernie(const Tower& t) {
  const double wide = merged(t), frames = t.number({"temporal_merge_size"}, 2);
  return {square(wide) * (3 + frames) + wide * t.hidden, "resampler"};
}

struct Known {
  std::string_view model;  // the model_type, or its start before an underscore
  Bridge (*bridge)(const Tower&);
};

constexpr Known pictures[] = {
    {"qwen3_vl", deep_mergers},
    {"qwen3_omni", deep_mergers},
    {"qwen3_5", merger},
    {"qwen2_vl", merger},
    {"qwen2_5_vl", merger},
    {"qwen2_5_omni", merger},
    {"dots_ocr", merger},
    {"internvl", shuffled},
    {"llava", llava},
    {"pixtral", llava},
    {"minimax_vl_01", llava},
    {"minimax_m3", minimax_m3},
    {"mistral3", mistral},
    {"kimi", kimi},
    {"KeyeVL1_5", kimi},
    {"gemma3", one_layer},
    {"gemma4", one_layer},
    {"paligemma", one_layer},
    {"idefics3", idefics},
    {"smolvlm", idefics},
    {"glm4v", glm},
    {"llama4", llama4},
    {"aya_vision", cohere},
    {"cohere2_vision", cohere},
    {"lfm2_vl", lfm2},
    {"step3_vl", step3},
    {"minicpmv", resampler},
    {"minicpmo", resampler},
    {"qwen", resampler},
    {"ernie4_5_vl_moe", ernie},
    {"ernie4_5_moe_vl", ernie},
};

/// Whisper's two convolutions over the spectrum.
double whisper_convolutions(const Tower& t) {
  constexpr double kernel = 3;
  return kernel * t.width() * (t.number({"num_mel_bins"}, 128) + t.width());
}
Bridge qwen2_audio(const Tower& t) {
  const double out = t.number({"output_dim"}, t.hidden);
  return {whisper_convolutions(t) + t.width() * out, "convolutions, projector"};
}
/// Qwen3-Omni: three convolutions of 3 x 3 and stride 2, then two matrices.
Bridge qwen3_omni(const Tower& t) {
  constexpr double kernel = 9, stride = 8;
  const double channels = t.number({"downsample_hidden_size"}, 480),
               bins = t.number({"num_mel_bins"}, 128);
  return {kernel * channels * (1 + 2 * channels) + channels * bins / stride * t.width() +
              square(t.width()) + t.width() * t.number({"output_dim"}, t.hidden),
          "convolutions, projector"};
}
Bridge voxtral(const Tower& t) {
  const double inputs = t.number({"intermediate_size"}, 4 * t.width());
  return {whisper_convolutions(t) + inputs * t.hidden + square(t.hidden),
          "convolutions, projector"};
}

constexpr Known sounds[] = {
    {"gemma3n", one_layer},        {"gemma4", one_layer},        {"qwen3_omni", qwen3_omni},
    {"qwen2_5_omni", qwen2_audio}, {"qwen2_audio", qwen2_audio}, {"voxtral", voxtral},
};

bool is_of(std::string_view type, std::string_view family) {
  return type.starts_with(family) && (type.size() == family.size() || type[family.size()] == '_');
}

template <size_t N>
std::optional<Bridge> bridge_of(const Tower& tower, const Known (&known)[N]) {
  for (const Known& each : known) {
    if (!is_of(tower.model, each.model)) continue;
    return each.bridge(tower);
  }
  return std::nullopt;
}

}  // namespace

std::optional<Bridge> picture_bridge(const Tower& tower) { return bridge_of(tower, pictures); }
std::optional<Bridge> sound_bridge(const Tower& tower) { return bridge_of(tower, sounds); }

}  // namespace afford::config
