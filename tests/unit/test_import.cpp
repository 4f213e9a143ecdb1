// Published configs, cut down to the keys that matter, against the counts their publishers state.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>

#include "count/cache.hpp"
#include "count/params.hpp"
#include "import/import.hpp"
#include "load/library.hpp"
#include "load/readers.hpp"
#include "support.hpp"

using namespace afford;

namespace {

ModelSpec imported(const std::string& name, const config::ImportOptions& options = {}) {
  const std::string path = std::string(AFFORD_SOURCE) + "/tests/import/" + name + ".json";
  return read_model(yaml::parse(config::import_config(json::parse_file(path), options).yaml, path),
                    path);
}

constexpr VocabularyParts both{}, no_embedding{.embedding = false, .lm_head = true},
    layers{.embedding = false, .lm_head = false};

struct Published {
  const char* config;
  double total, active;
  VocabularyParts active_counts;
  const char* source;
};

// Within 1 % unless said otherwise below. Publishers differ in whether an active count has the
// embedding table (one row of it is read) and the LM head.
constexpr Published published[] = {
    {"deepseek-v3", 671e9, 36.6e9, no_embedding, "arXiv 2412.19437 prints 671B and 37B"},
    {"deepseek-v3.2", 671e9, 36.6e9, layers, "arXiv 2412.19437; the indexer adds 0.9B"},
    {"deepseek-v4-flash", 284e9, 13.2e9, no_embedding, "model card prints 284B and 13B"},
    {"ernie-4.5", 300e9, 47e9, no_embedding, "model card: 300B, 47B"},
    {"glm-4.5", 355e9, 32e9, layers, "model card: 355B, 32B"},
    {"glm-4.5-air", 106e9, 12.2e9, layers, "model card prints 106B and 12B"},
    {"glm-5", 744e9, 40e9, layers, "model card: 744B, 40B"},
    {"gpt-oss-120b", 116.83e9, 5.13e9, no_embedding, "arXiv 2508.10925, Table 1"},
    {"gpt-oss-20b", 20.91e9, 3.61e9, no_embedding, "arXiv 2508.10925, Table 1"},
    {"kimi-k2", 1.026e12, 32.6e9, both, "card prints 1T; arXiv 2507.20534: 32.6B"},
    {"kimi-k2.5", 1.026e12, 32e9, no_embedding, "card prints 1T; 32B"},
    {"kimi-k3", 2.7799e12, 104e9, no_embedding,
     "arXiv 2607.24653: 2.8T (2,779.9B on the hub), 104B"},
    {"kimi-linear-48b-a3b", 49e9, 3.1e9, no_embedding,
     "checkpoint: 49B; the name says 48B and prints A3B"},
    {"llama-3.1-8b", 8.03e9, 8.03e9, both, "checkpoint: 8.03B"},
    {"llama-3.1-70b", 70.6e9, 70.6e9, both, "checkpoint: 70.6B"},
    {"llama-3.1-405b", 405e9, 405e9, both, "arXiv 2407.21783: 405B"},
    {"llama-3.2-1b", 1.24e9, 1.24e9, both, "model card: 1.23B"},
    {"llama-4-maverick", 400e9, 17.2e9, both, "model card prints 400B and 17B"},
    {"llama-4-scout", 107.8e9, 17.2e9, both, "card prints 109B with 1B of vision, and 17B"},
    {"minimax-m1", 456e9, 45.9e9, layers, "arXiv 2506.13585: 456B, 45.9B"},
    {"minimax-m2.5", 230e9, 9.8e9, layers, "model card prints 230B and 10B"},
    {"mistral-7b", 7.24e9, 7.24e9, both, "checkpoint: 7.24B"},
    {"mixtral-8x7b", 46.7e9, 12.9e9, both, "Mistral AI: 46.7B, 12.9B"},
    {"mixtral-8x22b", 141e9, 39e9, both, "Mistral AI: 141B, 39B"},
    {"pangu-pro-moe", 71.99e9, 16.5e9, both, "arXiv 2505.21411: 71.99B, 16.5B"},
    {"qwen1.5-moe-a2.7b", 14.3e9, 2.7e9, both, "model card: 14.3B, 2.7B"},
    {"qwen2-72b", 72.7e9, 72.7e9, both, "arXiv 2407.10671: 72B; checkpoint 72.7B"},
    {"qwen3-0.6b", 0.6e9, 0.6e9, both, "model card: 0.6B"},
    {"qwen3-8b", 8.2e9, 8.2e9, both, "model card: 8.2B"},
    {"qwen3-30b-a3b", 30.5e9, 3.353e9, both, "model card: 30.5B, 3.3B (cut)"},
    {"qwen3-32b", 32.8e9, 32.8e9, both, "model card: 32.8B"},
    {"qwen3-moe", 235e9, 22e9, both, "model card: 235B, 22B"},
    {"qwen3-next-80b-a3b", 80e9, 3.25e9, layers, "model card prints 80B and 3B"},
    {"qwen3.5-397b-a17b", 397e9, 17.3e9, both, "model card prints 397B and 17B"},
    {"step-3", 316e9, 38e9, no_embedding, "arXiv 2507.19427: 316B, 38B"},
    {"step-3.5-flash", 196e9, 11e9, layers, "model card: 196B, 11B"},
};

// These are stated more coarsely than 1 %: what is printed, and the digit it is printed to.
struct Coarse {
  const char* config;
  double value, digit;
  bool total;
};
constexpr Coarse coarse[] = {
    {"glm-4.5-air", 12e9, 1e9, false},       {"kimi-linear-48b-a3b", 3e9, 1e9, false},
    {"kimi-k2", 1e12, 1e12, true},           {"kimi-k2.5", 1e12, 1e12, true},
    {"deepseek-v3", 37e9, 1e9, false},       {"deepseek-v4-flash", 13e9, 1e9, false},
    {"llama-4-maverick", 17e9, 1e9, false},  {"minimax-m2.5", 10e9, 1e9, false},
    {"qwen3-next-80b-a3b", 3e9, 1e9, false}, {"qwen3.5-397b-a17b", 17e9, 1e9, false},
};

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE(
      "imported configs have the parameters their publishers state, within 1 % and a rounding") {
    for (const Published& each : published) {
      CAPTURE(each.config);
      CAPTURE(each.source);
      const ModelSpec model = imported(each.config);
      const double total = total_params(model), active = active_params(model, each.active_counts);
      CAPTURE(total);
      CAPTURE(active);
      CHECK(std::fabs(total / each.total - 1) <= 0.01);
      CHECK(std::fabs(active / each.active - 1) <= 0.01);
    }
    for (const Coarse& each : coarse) {
      CAPTURE(each.config);
      for (const Published& row : published) {
        if (std::string_view(row.config) != each.config) continue;
        const ModelSpec model = imported(each.config);
        const double count =
            each.total ? total_params(model) : active_params(model, row.active_counts);
        CHECK(std::round(count / each.digit) * each.digit == doctest::Approx(each.value));
      }
    }
  }

  TEST_CASE("in the report's formats an imported model costs what the hand-written one does") {
    const test::TempFolder folder;
    for (const char* name : {"step-3", "deepseek-v3", "qwen3-moe", "kimi-k2", "llama-4-maverick",
                             "minimax-m1", "ernie-4.5", "pangu-pro-moe", "qwen3-32b"}) {
      CAPTURE(name);
      const std::string path = folder.path(std::string(name) + ".yaml");
      REQUIRE(test::run_afford("import " + std::string(AFFORD_SOURCE) + "/tests/import/" + name +
                               ".json --precision paper -o " + path)
                  .code == 0);
      const std::string rest = " --on all -c 8k,32k --format csv";
      CHECK(test::run_afford("cost -m " + path + rest).out ==
            test::run_afford("cost -m " + std::string(name) + rest).out);
      CHECK(test::run_afford("cost --convention exact -m " + path + rest).out ==
            test::run_afford("cost --convention exact -m " + std::string(name) + rest).out);
    }
  }

  TEST_CASE("a shipped model has the shapes, the formats and the cache of its published config") {
    int compared = 0;
    for (const ModelSpec& shipped : load_models({"all"})) {
      const std::string config =
          std::string(AFFORD_SOURCE) + "/tests/import/" + shipped.name + ".json";
      if (!std::filesystem::exists(config)) continue;
      CAPTURE(shipped.name);
      const std::string text =
          test::read_file(std::string(AFFORD_SOURCE) + "/models/" + shipped.name + ".yaml");
      const bool paper = text.find("arXiv 2507.19427") != std::string::npos;
      const ModelSpec model = imported(shipped.name, {.paper_precision = paper});
      CHECK(total_params(model) == doctest::Approx(total_params(shipped)).epsilon(1e-9));
      CHECK(active_params(model) == doctest::Approx(active_params(shipped)).epsilon(1e-9));
      CHECK(stored_weights(model).base() ==
            doctest::Approx(stored_weights(shipped).base()).epsilon(1e-9));
      CHECK(cache_size(model, 8192).context.base() ==
            doctest::Approx(cache_size(shipped, 8192).context.base()).epsilon(1e-9));
      CHECK(cache_size(model, 8192).recurrent.base() ==
            doctest::Approx(cache_size(shipped, 8192).recurrent.base()).epsilon(1e-9));
      ++compared;
    }
    CHECK(compared >= 50);
  }

  TEST_CASE("formats: what quantization_config says, with the modules it leaves in BF16") {
    const ModelSpec gpt = imported("gpt-oss-120b");
    CHECK(gpt.precision.ffn_weights == Dtype::mxfp4);
    CHECK(gpt.precision.attention_weights == Dtype::bf16);
    CHECK(gpt.precision.ffn_compute == Dtype::bf16);
    const ModelSpec kimi =
        imported("kimi-k2.5");  // INT4 routed experts in groups of 32, the rest BF16
    CHECK(kimi.precision.ffn_weights == Dtype::int4g32);
    CHECK(kimi.ffns[0].weights == Dtype::bf16);
    CHECK(kimi.ffns[1].shared_weights == Dtype::bf16);
    CHECK(kimi.precision.attention_weights == Dtype::bf16);
    const ModelSpec v4 = imported("deepseek-v4-flash");  // FP8, but for FP4 experts
    CHECK(v4.precision.ffn_weights == Dtype::mxfp4);
    CHECK(v4.ffns[0].shared_weights == Dtype::fp8);
    CHECK(v4.precision.attention_weights == Dtype::fp8);
    CHECK(imported("qwen3-8b").precision.attention_weights == Dtype::bf16);
    CHECK(imported("deepseek-v3").precision.kv == Dtype::bf16);
    const std::string_view nvfp4 =
        R"({"model_type": "qwen3", "hidden_size": 64, "num_hidden_layers": 2,
      "num_attention_heads": 2, "intermediate_size": 64, "vocab_size": 64, "quantization_config": {
      "quant_method": "modelopt", "quant_algo": "NVFP4", "kv_cache_quant_algo": "FP8", "group_size": 16,
      "exclude_modules": ["lm_head", "model.layers.0.self_attn*", "model.layers.1.self_attn*"]}})";
    const std::string yaml =
        config::import_config(json::parse(nvfp4, "c.json"), {.name = "c"}).yaml;
    const Precision precision = test::parse_model(yaml).precision;
    CHECK(precision.ffn_weights == Dtype::nvfp4);
    CHECK(precision.ffn_compute == Dtype::fp4);
    CHECK(precision.attention_weights == Dtype::bf16);
    CHECK(precision.kv == Dtype::fp8);
    CHECK(bits_of(Dtype::mxfp4) == 4.25);
    CHECK(bits_of(Dtype::nvfp4) == 4.5);
  }

  TEST_CASE("layers: windows, chunks, hybrids and lists land where the config puts them") {
    const auto kinds = [](const std::string& name) {
      std::string text;
      const ModelSpec model = imported(name);
      for (const LayerKind& kind : model.layer_kinds) {
        text += std::to_string(kind.layers) + " " + model.attentions[kind.attention].name + "/" +
                model.ffns[kind.ffn].name + ", ";
      }
      return text;
    };
    CHECK(kinds("step-3") == "5 mfa/dense, 56 mfa/moe, ");
    CHECK(kinds("step-3.5-flash") ==
          "1 full/dense, 2 sliding/dense, 31 sliding/moe, 11 full/moe, ");
    CHECK(kinds("ernie-4.5") == "3 gqa/dense, 51 gqa/moe, ");
    CHECK(kinds("kimi-k3") == "1 kda/dense, 68 kda/moe, 24 mla/moe, ");
    CHECK(kinds("qwen3.5-397b-a17b") == "45 linear/moe, 15 full/moe, ");
    CHECK(kinds("llama-4-scout") == "36 chunked/moe, 12 full/moe, ");
    CHECK(kinds("mistral-7b") == "32 sliding/dense, ");
    CHECK(kinds("qwen2-72b") == "80 gqa/dense, ");
    CHECK(kinds("deepseek-v4-flash") == "2 window/moe, 21 every-4/moe, 20 every-128/moe, ");
    CHECK(kinds("hunyuan-large") == "32 gqa/moe, 32 reusing/moe, ");
    CHECK(imported("deepseek-v3").mtp->layers == 1);
    CHECK(imported("minimax-m2.5").mtp->layers == 3);
    CHECK_FALSE(imported("kimi-k2").mtp);
  }

  TEST_CASE("a config.json is a model path like any other, named after its file or folder") {
    const std::string path = std::string(AFFORD_SOURCE) + "/tests/import/qwen3-8b.json";
    CHECK(load_models({path}).front().name == "qwen3-8b");
    CHECK(is_path("config.json"));
    CHECK(config::name_from("GLM-5/config.json") == "glm-5");
    CHECK(config::name_from("DeepSeek-V3.2.json") == "deepseek-v3.2");
  }

  TEST_CASE("every published config of a folder beside the sources imports, where there is one") {
    const std::filesystem::path folder =
        std::filesystem::path(AFFORD_SOURCE).parent_path() / "shared" / "hf";
    if (!std::filesystem::is_directory(folder)) {
      MESSAGE("skipped: no folder of published configs beside the sources");
      return;
    }
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() != ".json") continue;
      CAPTURE(entry.path().string());
      CHECK_NOTHROW((void)load_models({entry.path().string()}));
    }
  }
}
