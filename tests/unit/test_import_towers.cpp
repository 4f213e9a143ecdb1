// Towers for pictures and sound, and what leads from them to the language model, against the
// parameters of the published checkpoints.
#include <doctest/doctest.h>

#include <algorithm>

#include "count/params.hpp"
#include "import/import.hpp"
#include "load/readers.hpp"
#include "support.hpp"

using namespace afford;

namespace {

config::Imported imported_with_tower(const std::string& name) {
  const std::string path = std::string(AFFORD_SOURCE) + "/tests/import/" + name + ".json";
  return config::import_config(json::parse_file(path), {});
}

struct PublishedWhole {
  const char* config;
  double params;  // of all tensors of the checkpoint's safetensors files
};

constexpr PublishedWhole published_wholes[] = {
    {"qwen2-vl-7b", 8'291'375'616},  {"qwen2.5-vl-7b", 8'292'166'656},
    {"qwen3-vl-2b", 2'127'532'032},  {"gemma-3-4b", 4'300'079'472},
    {"glm-4.1v-9b", 10'292'777'472}, {"internvl3-8b", 7'944'373'760},
    {"llava-1.5-7b", 7'063'427'072}, {"mistral-small-3.1", 24'011'361'280},
    {"kimi-vl-a3b", 16'407'657'776},
};

double held_in(const std::string& text, const std::string& name) {
  const ModelSpec model =
      test::parse_model(config::import_config(json::parse(text, "c.json"), {.name = "c"}).yaml);
  for (const HeldWeights& held : model.held) {
    if (held.name == name) return held.params;
  }
  return 0;
}

/// A small text model with the keys of `root` and a tower of 2 layers, 64 wide, under `key`.
std::string with_tower(const std::string& type, const std::string& root, const std::string& tower,
                       const std::string& key = "vision_config") {
  return fmt::format(R"({{"model_type": "{}", {} "text_config": {{"model_type": "llama",
      "hidden_size": 128, "intermediate_size": 256, "num_attention_heads": 4,
      "num_hidden_layers": 2, "vocab_size": 1000}}, "{}": {{"num_hidden_layers": 2,
      "hidden_size": 64, "intermediate_size": 160{}}}}})",
                     type, root, key, tower);
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("towers: language model, tower and projector are the checkpoint, within 0.1 %") {
    for (const PublishedWhole& each : published_wholes) {
      const std::string name = each.config;
      CAPTURE(name);
      const ModelSpec model = test::parse_model(imported_with_tower(name).yaml);
      REQUIRE(model.held.size() == 2);
      CHECK(model.held[1].name == "vision-projector");
      CHECK(total_params(model) == doctest::Approx(each.params).epsilon(1e-3));
    }
  }

  TEST_CASE("towers: mergers, projectors and adapters by hand") {
    const double v = 64, t = 128;
    struct Case {
      const char *type, *root, *tower;
      double params;
    };
    const Case cases[] = {
        {"qwen2_vl", "", R"(, "embed_dim": 64)", 256 * 256 + 256 * v},
        {"qwen2_5_vl", "", R"(, "out_hidden_size": 96)", 256 * 256 + 256 * 96},
        {"qwen3_vl", "", R"(, "deepstack_visual_indexes": [0, 1])", 3 * (256 * 256 + 256 * t)},
        {"qwen3_vl_moe", "", "", 4 * (256 * 256 + 256 * t)},
        {"qwen3_5", "", R"(, "deepstack_visual_indexes": [])", 256 * 256 + 256 * t},
        {"internvl_chat", R"("downsample_ratio": 0.25,)", "", 16 * v * t + t * t},
        {"llava_next", "", "", v * t + t * t},
        {"mistral3", R"("spatial_merge_size": 2,)", "", 4 * v * v + v * t + t * t},
        {"kimi_vl", "", "", 16 * v * v + 4 * v * t},
        {"gemma3", "", "", v * t},
        {"smolvlm", R"("scale_factor": 4,)", "", 16 * v * t},
        {"glm4v", "", R"(, "out_hidden_size": 128)", 4 * v * 128 + 128 * 128 + 3 * 128 * 160},
        {"llama4", "",
         R"(, "projector_input_dim": 96, "projector_output_dim": 80, "vision_output_dim": 80)",
         160 * 96 + 80 * 80 + 80 * t},
        {"cohere2_vision", R"("alignment_intermediate_size": 512, "downsample_factor": 2,)", "",
         4 * v * 512 + 256 * t},
        {"lfm2_vl", R"("projector_hidden_size": 96, "downsample_factor": 2,)", "",
         4 * v * 96 + 96 * t},
        {"minimax_m3_vl", R"("projector_hidden_size": 96,)", "",
         v * 96 + 96 * t + 4 * t * 96 + 96 * t},
        {"step3_vl", "", R"(, "output_hidden_size": 32)", 4 * v * 32 + 9 * 32 * 64 + 64 * t},
        {"minicpmv", "", "", v * t + 5 * t * t},
    };
    for (const Case& each : cases) {
      CAPTURE(std::string(each.type));
      CHECK(held_in(with_tower(each.type, each.root, each.tower), "vision-projector") ==
            doctest::Approx(each.params).epsilon(1e-3));
    }
    // Whisper's convolutions: 3 x bins x width, 3 x width^2.
    CHECK(held_in(with_tower("voxtral", "", R"(, "num_mel_bins": 32)", "audio_config"),
                  "audio-projector") ==
          doctest::Approx(3 * 32 * v + 3 * v * v + 160 * t + t * t).epsilon(1e-3));
    CHECK(held_in(with_tower("qwen2_audio", "", R"(, "num_mel_bins": 32)", "audio_config"),
                  "audio-projector") ==
          doctest::Approx(3 * 32 * v + 3 * v * v + v * t).epsilon(1e-3));
  }

  TEST_CASE("towers: patches, frames, positions and gates") {
    const double layer = 4 * 64 * 64, mlp = 64 * 160;
    const auto tower = [&](const char* type, const char* keys) {
      return held_in(with_tower(type, "", keys), "vision");
    };
    CHECK(tower("llava", "") == doctest::Approx(2 * (layer + 2 * mlp)).epsilon(1e-3));
    CHECK(tower("llava", R"(, "patch_size": 16, "image_size": 160)") ==
          doctest::Approx(2 * (layer + 2 * mlp) + (3 * 256 + 100) * 64).epsilon(1e-3));
    CHECK(tower("mistral3", R"(, "model_type": "pixtral", "patch_size": 16, "image_size": 160)") ==
          doctest::Approx(2 * (layer + 3 * mlp) + 3 * 256 * 64).epsilon(1e-3));
    CHECK(tower("qwen3_vl", R"(, "patch_size": 16, "temporal_patch_size": 2,
                                 "num_position_embeddings": 400)") ==
          doctest::Approx(2 * (layer + 2 * mlp) + (2 * 3 * 256 + 400) * 64).epsilon(1e-3));
    CHECK(tower("gemma4", R"(, "model_type": "gemma4_vision", "position_embedding_size": 100)") ==
          doctest::Approx(2 * (layer + 3 * mlp) + 2 * 100 * 64).epsilon(1e-3));
    // A conformer: 5 + 16 + 3 squares of its width a layer.
    CHECK(held_in(with_tower("gemma4", "", R"(, "model_type": "gemma4_audio")", "audio_config"),
                  "audio") == doctest::Approx(2 * 24 * 64 * 64).epsilon(1e-3));
    // GLM-4V's MLPs are as wide as what comes out.
    CHECK(tower("glm4v", R"(, "out_hidden_size": 128)") ==
          doctest::Approx(2 * (layer + 3 * 64 * 128)).epsilon(1e-3));
  }

  TEST_CASE("towers: what is counted is said, and what is not known") {
    const auto note_of = [](const config::Imported& imported, const std::string& key) {
      for (const config::KeyNote& note : imported.notes) {
        if (note.key == key) return note.value + " (" + note.why + ")";
      }
      return std::string("none");
    };
    const config::Imported known = imported_with_tower("qwen3-vl-2b");
    CHECK(
        note_of(known, "vision tower") ==
        "0.306B parameters (attention, MLPs, patches and positions; held in memory, not decoded)");
    CHECK(note_of(known, "vision projector") ==
          "0.101B parameters (mergers, those of deepstack among them)");
    const config::Imported other =
        config::import_config(json::parse(with_tower("ovis", "", ""), "c.json"), {.name = "c"});
    CHECK(note_of(other, "vision projector") == "not counted (that of ovis is not known)");
    const config::Imported shapeless = config::import_config(
        json::parse(test::replaced(with_tower("llava", "", ""), R"({"num_hidden_layers": 2,
      "hidden_size": 64)",
                                   R"({"hidden_size": 64)"),
                    "c.json"),
        {.name = "c"});
    CHECK(note_of(shapeless, "vision tower") == "not counted (the config does not give its shape)");
  }
}
