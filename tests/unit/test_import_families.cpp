// PublishedFamily configs of more families, cut down to the keys that matter, against the counts
// their publishers state; class defaults; aliases.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "count/cache.hpp"
#include "count/params.hpp"
#include "import/builder.hpp"
#include "import/import.hpp"
#include "load/readers.hpp"
#include "support.hpp"

using namespace afford;

namespace {

ModelSpec imported_family(const std::string& name) {
  const std::string path = std::string(AFFORD_SOURCE) + "/tests/import/" + name + ".json";
  return read_model(yaml::parse(config::import_config(json::parse_file(path), {}).yaml, path),
                    path);
}

struct PublishedFamily {
  const char* config;
  double total, active, digit;  // digit: what the last printed digit is worth
  const char* source;
  VocabularyParts active_counts{};
};

constexpr VocabularyParts without_embedding{.embedding = false, .lm_head = true},
    no_vocabulary{.embedding = false, .lm_head = false};

// Text models whole, embedding and head included; of models that also see, the language model.
constexpr PublishedFamily published_families[] = {
    {"gemma-2-9b", 9.24e9, 9.24e9, 1e7, "checkpoint: 9.24B"},
    {"gemma-3-1b", 1.0e9, 1.0e9, 1e7, "checkpoint: 1.00B"},
    {"gemma-3-4b", 4.3e9, 3.88e9, 1e8, "checkpoint: 4.30B, of which 0.42B of SigLIP"},
    {"gemma-3-27b", 27.4e9, 27.0e9, 1e8, "checkpoint: 27.4B, of which 0.42B of SigLIP"},
    {"mistral-small-3.1", 24.0e9, 23.6e9, 1e8, "checkpoint: 24.0B, of which 0.44B of Pixtral"},
    {"mistral-large-2411", 123e9, 123e9, 1e9, "Mistral AI: 123B"},
    {"olmo-2-7b", 7.3e9, 7.3e9, 1e8, "arXiv 2501.00656, Table 1"},
    {"olmo-3-32b", 32.2e9, 32.2e9, 1e8, "checkpoint: 32.2B"},
    {"olmoe-7b-a1b", 6.9e9, 1.3e9, 1e8, "arXiv 2409.02060: 6.9B, 1.3B"},
    {"phi-3-mini", 3.8e9, 3.8e9, 1e8, "arXiv 2404.14219: 3.8B"},
    {"phi-4", 14.7e9, 14.7e9, 1e8, "checkpoint: 14.7B"},
    {"phi-4-mini", 3.8e9, 3.8e9, 1e8, "arXiv 2503.01743: 3.8B"},
    {"phi-3.5-moe", 41.9e9, 6.6e9, 1e8, "model card: 41.9B, 6.6B"},
    {"qwen2.5-vl-7b", 8.29e9, 7.6e9, 1e7, "checkpoint: 8.29B; Qwen2.5-7B: 7.61B"},
    {"qwen2.5-0.5b", 0.49e9, 0.49e9, 1e7, "model card: 0.49B"},
    {"glm-4-32b-0414", 32.6e9, 32.6e9, 1e8, "checkpoint: 32.6B"},
    {"granite-3.3-8b", 8.17e9, 8.17e9, 1e7, "checkpoint: 8.17B"},
    {"granite-3.1-3b-a800m", 3.3e9, 0.88e9, 1e8, "model card: 3.3B, 800M without the embedding"},
    {"exaone-4.0-32b", 32.0e9, 32.0e9, 1e8, "checkpoint: 32.0B; card: 30.95B without embeddings"},
    {"exaone-3.5-7.8b", 7.8e9, 7.8e9, 1e8, "model card: 7.8B"},
    {"k-exaone-236b-a23b", 236e9, 23e9, 1e9, "model card: 236B, 23B", without_embedding},
    {"seed-oss-36b", 36e9, 36e9, 1e9, "model card: 36B"},
    {"dots.llm1", 142e9, 14e9, 1e9, "arXiv 2506.05767: 142B, 14B"},
    {"ling-flash-2.0", 103e9, 6.1e9, 1e8, "checkpoint: 103B; model card: 6.1B"},
    {"ling-1t", 1.0e12, 51e9, 1e12, "model card: 1T, 50B"},
    {"kimi-vl-a3b", 16.4e9, 2.9e9, 1e8,
     "checkpoint: 16.4B; Moonlight's card: 3B (2.24B without embeddings)"},
    {"deepseek-v2-lite", 15.7e9, 2.7e9, 1e8, "arXiv 2405.04434: 15.7B, 2.4B without the embedding"},
    {"command-r-plus", 104e9, 104e9, 1e9, "model card: 104B"},
    {"command-a", 111e9, 111e9, 1e9, "arXiv 2504.00698: 111B"},
    {"smollm3-3b", 3.08e9, 3.08e9, 1e7, "checkpoint: 3.08B"},
    {"grok-2", 270e9, 115e9, 1e9, "checkpoint: 270B; xAI: 115B active"},
    {"dbrx", 132e9, 36e9, 1e9, "Databricks: 132B, 36B"},
    {"longcat-flash", 560e9, 27e9, 1e10, "arXiv 2509.01322: 560B, 18.6B to 31.3B, 27B on average"},
    {"hunyuan-a13b", 80e9, 13e9, 1e9, "model card: 80B, 13B"},
    {"qwen3-omni-30b-a3b", 31.7e9, 3.35e9, 1e8, "arXiv 2509.17765: 30B, 0.65B and 0.54B"},
    {"ernie-4.5-21b-a3b", 21.8e9, 3e9, 1e9, "checkpoint: 21.8B; model card: 3B"},
    {"minicpm3-4b", 4.07e9, 4.07e9, 1e7, "checkpoint: 4.07B"},
    {"glm-4.7-flash", 30e9, 3.6e9, 1e9, "model card: 30B, 3B"},
    // Mixed with Mamba-2 or short convolutions.
    {"nemotron-3-nano", 31.6e9, 3.6e9, 1e8, "model card: 31.6B, 3.6B with the embedding"},
    {"nemotron-h-8b", 8.1e9, 8.1e9, 1e8, "arXiv 2504.03624: 8B; checkpoint: 8.1B"},
    {"granite-4.0-h-small", 32.2e9, 9e9, 1e9, "model card: 32B, 9B; checkpoint: 32.2B"},
    {"granite-4.0-h-micro", 3.19e9, 3.19e9, 1e7, "checkpoint: 3.19B"},
    {"falcon-h1-34b", 33.6e9, 33.6e9, 1e8, "checkpoint: 33.6B"},
    {"jamba-1.5-mini", 51.6e9, 12e9, 1e9, "model card: 52B, 12B; checkpoint: 51.6B"},
    {"mamba-2.8b", 2.768e9, 2.768e9, 1e6, "checkpoint: 2,768,345,600"},
    {"mamba-codestral-7b", 7.285e9, 7.285e9, 1e6, "checkpoint: 7,285,403,648"},
    {"zamba2-7b", 7.36e9, 7.36e9, 1e7, "checkpoint: 7.36B"},
    {"zamba-7b", 7.22e9, 7.22e9, 1e7, "checkpoint: 7.22B"},
    {"rwkv7-2.9b", 2.95e9, 2.95e9, 1e7, "arXiv 2503.14456, Table 1: 2.95B"},
    {"bamba-9b", 9.78e9, 9.78e9, 1e7, "checkpoint: 9.78B"},
    {"lfm2-1.2b", 1.17e9, 1.17e9, 1e7, "model card: 1.17B"},
    {"lfm2-8b-a1b", 8.3e9, 1.55e9, 1e8, "model card: 8.3B, 1.5B (digits cut, not rounded)"},
    // Per-layer embeddings, shared keys and values, values of another width.
    {"gemma-3n-e4b", 7.55e9, 4.5e9, 1e8,
     "checkpoint 7.85B, of which 0.30B of MobileNet; 4B effective"},
    {"gemma-4-31b", 30.7e9, 30.7e9, 1e8, "model card: 30.7B"},
    {"gemma-4-26b-a4b", 25.2e9, 3.8e9, 1e8, "model card: 25.2B, 3.8B"},
    {"mimo-v2-flash", 309e9, 15e9, 1e9, "arXiv 2601.02780: 309B, 15B"},
    {"glm-5.2", 743e9, 39.5e9, 1e9, "as GLM-5 (744B, 40B), less 57 indexers of 9.4M",
     no_vocabulary},
    {"minimax-m3", 428e9, 23.5e9, 1e9, "model card: 428B, 23B (digits cut, not rounded)",
     no_vocabulary},
    {"hunyuan-3", 295e9, 21e9, 1e9, "model card: 295B, 21B"},
    {"mistral-small-4", 119e9, 6.5e9, 1e9, "model card: 119B, 6.5B"},
    {"trinity-mini", 26e9, 3e9, 1e9, "model card: 26B, 3B", without_embedding},
    {"nemotron-super-49b", 49.9e9, 49.9e9, 1e8, "model card: 49.9B"},
    {"openelm-1.1b", 1.08e9, 1.08e9, 1e7, "arXiv 2404.14619, Table 4: 1.08B"},
    {"glm-4-9b", 9.40e9, 9.40e9, 1e7, "checkpoint: 9.40B"},
    {"nemotron-nano-9b-v2", 8.89e9, 8.89e9, 1e7, "checkpoint: 8.89B"},
    {"deepseek-v4-pro", 1.6e12, 49e9, 1e11, "model card: 1.6T, 49B", without_embedding},
    // FFNs of two matrices.
    {"starcoder2-3b", 3.03e9, 3.03e9, 1e7, "checkpoint: 3.03B"},
    {"phi-2", 2.78e9, 2.78e9, 1e7, "checkpoint: 2.78B"},
    {"gpt2", 124e6, 124e6, 1e6, "Radford et al. 2019 as released: 124M"},
    {"opt-125m", 125e6, 125e6, 1e6, "arXiv 2205.01068: 125M"},
    {"pythia-1.4b", 1.41e9, 1.41e9, 1e7, "arXiv 2304.01373: 1.41B"},
    {"apertus-8b", 8.05e9, 8.05e9, 1e7, "checkpoint: 8.05B"},
    {"nemotron-mini-4b", 4.19e9, 4.19e9, 1e7, "checkpoint: 4.19B"},
    {"afm-4.5b", 4.62e9, 4.62e9, 1e7, "checkpoint: 4.62B"},
    {"bloom-560m", 559e6, 559e6, 1e6, "arXiv 2211.05100: 559M"},
    {"mistral-7b-params", 7.25e9, 7.25e9, 1e7, "checkpoint of v0.3: 7.25B"},
    {"mpt-7b", 6.649e9, 6.649e9, 1e6, "checkpoint: 6,649,286,656"},
    {"qwen-7b", 7.721e9, 7.721e9, 1e6, "checkpoint: 7,721,324,544"},
    {"arctic", 479e9, 17.3e9, 1e9, "checkpoint: 479B; Snowflake: 480B, 17B active"},
    {"glm-4.1v-9b", 10.29e9, 9.40e9, 1e7, "checkpoint: 10.29B, of which 0.89B of its tower"},
};

std::string layers_of(const std::string& name) {
  std::string text;
  const ModelSpec model = imported_family(name);
  for (const LayerKind& kind : model.layer_kinds)
    text += fmt::format("{} {}/{}, ", kind.layers, model.attentions[kind.attention].name,
                        model.ffns[kind.ffn].name);
  return text;
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("bytes on disk: by the index, by the headers, against the bytes counted") {
    const test::TempFolder folder;
    folder.file("a/config.json", "{}");
    CHECK_FALSE(config::safetensors_size(folder.path("a")));
    const std::string header =
        R"({"__metadata__": {"format": "pt"}, "x": {"dtype": "BF16", "shape": [4, 2],
        "data_offsets": [0, 16]}, "y": {"dtype": "BF16", "shape": [4], "data_offsets": [16, 24]}})";
    const std::uint64_t length = header.size();
    const std::string start(reinterpret_cast<const char*>(&length), sizeof length);
    folder.file("a/model-1.safetensors", start + header + std::string(24, 'w'));
    folder.file("a/model-2.safetensors", start + header);
    const auto size = config::safetensors_size(folder.path("a"));
    REQUIRE(size);
    CHECK(size->bytes == 48);
    CHECK(size->from == "2 safetensors headers");
    folder.file(
        "a/model.safetensors.index.json",
        R"({"metadata": {"total_size": 4711}, "weight_map": {"x": "model-1.safetensors"}})");
    CHECK(config::safetensors_size(folder.path("a"))->bytes == 4711);
    const std::string index = folder.file("a/model.safetensors.index.json",
                                          R"({"metadata": {"total_size": -1}, "weight_map": {}})");
    CHECK_THROWS_WITH_AS(
        (void)config::safetensors_size(folder.path("a")),
        (index + ":1:29: metadata.total_size: expected a number of bytes above zero").c_str(),
        InputError);
    CHECK_THROWS_WITH_AS((void)config::safetensors_bytes("abc", "m.safetensors"),
                         "m.safetensors: not a safetensors file: no header in front", InputError);
    CHECK_THROWS_WITH_AS((void)config::safetensors_bytes(start + "{", "m.safetensors"),
                         "m.safetensors: not a safetensors file: its header is cut short",
                         InputError);
    for (const char* offsets : {"[9, 1]", "[-1, 1]", "[1]", "[0, \"x\"]", "7"}) {
      const std::string bad = R"({"x": {"data_offsets": )" + std::string(offsets) + "}}";
      const std::uint64_t size_of_bad = bad.size();
      CHECK_THROWS_WITH_AS(
          (void)config::safetensors_bytes(
              std::string(reinterpret_cast<const char*>(&size_of_bad), sizeof size_of_bad) + bad,
              "m.safetensors"),
          "m.safetensors:1:24: 'x': data_offsets: expected where its data starts and ends",
          InputError);
    }
    const auto bytes_of = [](const std::string& tensor) {
      const std::string text = R"({"x": )" + tensor + "}";
      const std::uint64_t size_of_text = text.size();
      return config::safetensors_bytes(
          std::string(reinterpret_cast<const char*>(&size_of_text), sizeof size_of_text) + text,
          "m.safetensors");
    };
    CHECK(bytes_of(R"({"dtype": "F4", "shape": [3, 3], "data_offsets": [0, 5]})") == 5);
    CHECK(bytes_of(R"({"dtype": "F8_NEW", "shape": [], "data_offsets": [0, 7]})") == 7);
    constexpr std::pair<const char*, const char*> wrong[] = {
        {R"({"dtype": "BF16", "shape": [2, 2], "data_offsets": [0, 9]})",
         "58: 'x': data_offsets: expected the 8 bytes that its shape takes, got 9"},
        {R"({"dtype": "BF16", "shape": [4611686018427387904, 4], "data_offsets": [0, 0]})",
         "76: 'x': data_offsets: expected the 3.6893488147419103e+19 bytes that its shape takes, "
         "got 0"},
        {R"({"dtype": "BF16", "shape": [2, -2], "data_offsets": [0, 8]})",
         "38: 'x': shape: expected whole sizes, got -2"},
        {R"({"dtype": "BF16", "shape": "2x2", "data_offsets": [0, 8]})",
         "34: 'x': shape: expected a list of sizes"},
        {R"({"dtype": 7, "shape": [2], "data_offsets": [0, 8]})",
         "17: 'x': dtype: expected a name such as BF16"},
        {R"({"shape": [2], "data_offsets": [0, 8]})", "7: 'x': expected a tensor with dtype"},
        {R"({"dtype": "BF16", "data_offsets": [0, 8]})", "7: 'x': expected a tensor with shape"},
        {R"({"dtype": "BF16", "shape": [2, 2], "data_offsets": [0.5, 8]})",
         "58: 'x': data_offsets: expected where its data starts and ends"},
        {R"({"dtype": "BF16", "shape": [2, 2], "data_offsets": [0, 18446744073709551616]})",
         "58: 'x': data_offsets: expected where its data starts and ends"}};
    for (const auto& [tensor, message] : wrong) {
      const std::string whole = std::string("m.safetensors:1:") + message;
      CHECK_THROWS_WITH_AS((void)bytes_of(tensor), whole.c_str(), InputError);
    }
    // Nobody would ever write into these.
    for (const char* name : {"b.gguf", "c/model.safetensors"}) {
      const std::string fifo = folder.file(name, "");
      REQUIRE(::unlink(fifo.c_str()) == 0);
      REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    }
    CHECK_THROWS_WITH_AS((void)config::safetensors_size(folder.path("c")),
                         (folder.path("c/model.safetensors") + ": not a regular file").c_str(),
                         InputError);
    CHECK_THROWS_WITH_AS((void)config::read_gguf(folder.path("b.gguf")),
                         (folder.path("b.gguf") + ": not a regular file").c_str(), InputError);
    // Llama-3.1-8B: 8,030,261,248 weights in BF16; total_size of its index.
    CHECK(stored_weights(imported_family("llama-3.1-8b")).base() == 16060522496);
    // Qwen3-8B: total_size of its index.
    CHECK(stored_weights(imported_family("qwen3-8b")).base() ==
          doctest::Approx(16381470720).epsilon(1e-5));
  }

  TEST_CASE("families: parameters as published, within 1 % or half of the last printed digit") {
    for (const PublishedFamily& each : published_families) {
      CAPTURE(std::string(each.config));
      CAPTURE(std::string(each.source));
      const ModelSpec model = imported_family(each.config);
      const double total = total_params(model), active = active_params(model, each.active_counts);
      CAPTURE(total);
      CAPTURE(active);
      CHECK(std::fabs(total - each.total) <= std::max(0.01 * each.total, 0.5 * each.digit));
      CHECK(std::fabs(active - each.active) <= std::max(0.015 * each.active, 0.5 * each.digit));
    }
  }

  TEST_CASE("families: patterns of windows, of experts and of two attentions") {
    CHECK(layers_of("gemma-2-9b") == "21 sliding/dense, 21 full/dense, ");
    CHECK(layers_of("gemma-3-27b") == "52 sliding/dense, 10 full/dense, ");
    CHECK(layers_of("olmo-3-32b") == "48 sliding/dense, 16 full/dense, ");
    CHECK(layers_of("command-a") == "48 sliding/dense, 16 full/dense, ");
    CHECK(layers_of("exaone-4.0-32b") == "48 sliding/dense, 16 full/dense, ");
    CHECK(layers_of("smollm3-3b") == "36 full/dense, ");
    CHECK(layers_of("phi-4") == "40 gqa/dense, ");
    CHECK(layers_of("k-exaone-236b-a23b") == "1 sliding/dense, 35 sliding/moe, 12 full/moe, ");
    CHECK(layers_of("longcat-flash") == "28 mla/dense, 28 mla/moe, ");
    CHECK(layers_of("laguna-s") == "1 full/dense, 36 sliding-72/moe, 11 full/moe, ");
    CHECK(layers_of("nemotron-3-nano") == "17 mamba/moe, 6 mamba/none, 6 attention/moe, ");
    CHECK(layers_of("nemotron-h-8b") == "20 mamba/dense, 4 mamba/none, 4 attention/dense, ");
    CHECK(layers_of("falcon-h1-34b") == "72 mamba/none, 72 attention/dense, ");
    CHECK(layers_of("zamba2-7b") == "81 mamba/none, 13 shared/shared, ");
    CHECK(layers_of("zamba-7b") == "76 mamba/none, 13 shared/shared, ");
    CHECK(imported_family("zamba2-7b").attentions[1].weight_sets == 2);
    CHECK(imported_family("zamba-7b").ffns[1].weight_sets == 1);
    CHECK(layers_of("rwkv7-2.9b") == "32 rwkv/dense, ");
    CHECK(layers_of("lfm2-1.2b") == "10 conv/dense, 6 attention/dense, ");
    CHECK(layers_of("gemma-4-31b") == "50 sliding/dense, 10 full/dense, ");
    CHECK(layers_of("gemma-3n-e4b") ==
          "16 sliding/dense, 4 full/dense, 12 sliding-shared/dense, 3 full-shared/dense, ");
    CHECK(layers_of("mimo-v2-flash") == "1 full/dense, 39 sliding/moe, 8 full/moe, ");
    CHECK(layers_of("glm-5.2") == "3 dsa/dense, 57 dsa-shared/moe, 18 dsa/moe, ");
    CHECK(layers_of("jamba-1.5-mini") == "12 mamba/dense, 16 mamba/moe, 4 attention/dense, ");
    // OpenELM: 16/4 to 32/8 heads, widths of 0.5 to 4 hidden states, all but three of their own.
    CHECK(layers_of("openelm-1.1b").starts_with("1 gqa-16-4/dense-1024, 1 gqa-16-4/dense-1280, "));
    CHECK(layers_of("openelm-1.1b").ends_with("1 gqa-32-8/dense-8192, "));
    CHECK(layers_of("mamba-2.8b") == "64 mamba/none, ");
    CHECK(layers_of("minimax-m3") == "3 full/dense, 57 msa/moe, ");
    CHECK(layers_of("trinity-mini") == "2 sliding/dense, 22 sliding/moe, 8 full/moe, ");
    CHECK(layers_of("nemotron-super-49b") ==
          "1 gqa-8/dense-14336, 44 gqa-8/dense-28672, 1 gqa-8/dense-57344, 1 gqa-8/dense-46592, 1 "
          "gqa-8/dense-143360, 1 gqa-8/dense-119296, ");
    // MiniMax-M3: 60 layers of 2 x 4 x 128 numbers, 57 index keys of 128.
    CHECK(cache_size(imported_family("minimax-m3"), 8192).context.base() ==
          doctest::Approx(8192.0 * 2 * (60 * 2 * 4 * 128 + 57 * 128)));
    // MiMo-V2: keys of 192 and values of 128 numbers.
    CHECK(cache_size(imported_family("mimo-v2-flash"), 8192).context.base() ==
          doctest::Approx((9.0 * 8192 * 4 + 39.0 * 128 * 8) * (192 + 128) * 2));
    // GLM-5.2: 78 latents of 576 numbers, indexer keys of 132 bytes in 21 layers.
    CHECK(cache_size(imported_family("glm-5.2"), 8192).context.base() ==
          doctest::Approx(8192.0 * (78 * 576 * 2 + 21 * 132)));
    // gemma-3-27b at 8K: 10 layers of the whole context, 52 of 1024 tokens, 2 x 16 x 128 numbers.
    CHECK(cache_size(imported_family("gemma-3-27b"), 8192).context.base() ==
          doctest::Approx((10 * 8192 + 52 * 1024) * 2.0 * 16 * 128 * 2));
  }

  TEST_CASE("a family that is built like another is one line: the same model file, but its name") {
    const std::string text =
        test::read_file(std::string(AFFORD_SOURCE) + "/tests/import/seed-oss-36b.json");
    const auto yaml = [&](const std::string& type) {
      const json::Value config =
          json::parse(test::replaced(text, "\"seed_oss\"", "\"" + type + "\""), "c.json");
      return config::import_config(config, {.name = "c", .date = "2025-01"}).yaml;
    };
    CHECK(yaml("seed_oss") == yaml("llama"));
    CHECK(yaml("glm4") == yaml("llama"));
    for (const std::string_view type : config::model_types()) {
      CAPTURE(std::string(type));
      REQUIRE(config::find_family(type) != nullptr);
      CHECK((config::find_family(type)->attention != nullptr));
      CHECK((config::find_family(type)->ffn != nullptr));
    }
  }

  TEST_CASE("families: keys that say in other words what others say") {
    const auto yaml = [](const std::string& text) {
      return config::import_config(json::parse(text, "c.json"), {.name = "c"}).yaml;
    };
    const auto kinds = [&](const std::string& text) {
      std::string all;
      const ModelSpec model = test::parse_model(yaml(text));
      for (const LayerKind& kind : model.layer_kinds)
        all += fmt::format("{} {}, ", kind.layers, model.attentions[kind.attention].name);
      return all;
    };
    const std::string rest = R"("hidden_size": 64, "num_attention_heads": 4, "vocab_size": 100,
      "intermediate_size": 128, "num_hidden_layers": 4, )";
    CHECK(kinds(R"({"model_type": "lfm2", "num_key_value_heads": 2, "conv_L_cache": 3, )" + rest +
                R"("full_attn_idxs": [1, 3]})") == "2 conv, 2 attention, ");
    CHECK(kinds(R"({"model_type": "cohere2", "sliding_window": 32, "layer_switch": 4, )" + rest +
                R"("use_embedding_sharing": true})") == "3 sliding, 1 full, ");
    // Hunyuan's dense models state one expert, and how they would share keys and values.
    CHECK(kinds(R"({"model_type": "hunyuan_v1_dense", "num_key_value_heads": 2, "num_experts": 1,
                    "moe_topk": 1, "num_shared_expert": 1, "use_mixed_mlp_moe": false,
                    "use_cla": true, "cla_share_factor": 2, )" +
                rest + R"("head_dim": 16})") == "2 gqa, 2 reusing, ");
    // Two largest contexts change no count; nor does a second name of a gated activation.
    CHECK((yaml(R"({"model_type": "llama", "hidden_act": "silu", "hidden_activation": "gelu",
                    "max_seq_len": 8192, "max_position_embeddings": 4096, )" +
                rest + R"("num_key_value_heads": 2})")
               .find("max_context: 4096") != std::string::npos));
    // Kimi Linear's MLA is where its delta attention is not.
    const std::string kimi = R"({"model_type": "kimi_linear", "kv_lora_rank": 8, "num_experts": 4,
      "qk_nope_head_dim": 16, "qk_rope_head_dim": 16, "v_head_dim": 16, "num_experts_per_token": 2,
      "moe_intermediate_size": 32, )" +
                             rest + R"("linear_attn_config": {"num_heads": 4, "head_dim": 16,
      "kda_layers": [1, 2, 3])";
    CHECK(kinds(kimi + "}}") == "3 kda, 1 mla, ");
    CHECK(kinds(kimi + "}}") ==
          kinds(kimi + R"(, "short_conv_kernel_size": 4, "full_attn_layers": [4]}})"));
    // DeepSeek-V4 without a list of layers: as its class lays them out.
    const std::string v4 = R"({"model_type": "deepseek_v4", "hidden_size": 64, "vocab_size": 100,
      "num_attention_heads": 4, "num_key_value_heads": 1, "head_dim": 16, "q_lora_rank": 32,
      "n_routed_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 32,
      "qk_rope_head_dim": 8, "o_groups": 2, "num_hidden_layers": 6)";
    const std::string heavy = R"("heavily_compressed_attention", )",
                      sparse = R"("compressed_sparse_attention")";
    CHECK(kinds(v4 + "}") == kinds(v4 + R"(, "layer_types": [)" + heavy + heavy + heavy + sparse +
                                   ", " + heavy + sparse + "]}"));
    // BLOOM's width under any of its two names.
    for (const char* width : {"n_embed", "hidden_size"}) {
      const ModelSpec bloom = test::parse_model(
          yaml(fmt::format(R"({{"model_type": "bloom", "{}": 64, "n_layer": 2, "n_head": 4,
                          "vocab_size": 100}})",
                           width)));
      CHECK(bloom.hidden == 64);
    }
    // ChatGLM's groups count only with its flag.
    for (const bool flag : {true, false}) {
      const std::string text = yaml(fmt::format(
          R"({{"model_type": "chatglm", "hidden_size": 64, "num_layers": 2, "kv_channels": 16,
               "num_attention_heads": 4, "ffn_hidden_size": 128, "padded_vocab_size": 100,
               "multi_query_attention": {}, "multi_query_group_num": 2}})",
          flag));
      CHECK((text.find(flag ? "kv_heads: 2" : "kv_heads: 4") != std::string::npos));
    }
  }

  TEST_CASE("MPT, the first Qwen, Arctic and RWKV-7: what their keys say of the shapes") {
    const auto model = [](const std::string& text) {
      return test::parse_model(
          config::import_config(json::parse(text, "c.json"), {.name = "c"}).yaml);
    };
    const std::string mpt = R"({"model_type": "mpt", "d_model": 64, "n_heads": 4, "n_layers": 2,
      "vocab_size": 100, "max_seq_len": 50, )";
    const auto layer = [](double kv, double mlp) {
      return 2.0 * (2 * 64 * 64 + 2 * 64 * kv * 16 + mlp + 2 * 64) + 64;
    };
    const auto attention = [](const std::string& keys) {
      return R"("attn_config": {"alibi": true)" + keys + "}}";
    };
    CHECK(total_params(model(mpt + attention(""))) == 6400 + layer(4, 2 * 64 * 256));
    CHECK(total_params(model(mpt + attention(R"(, "attn_type": "multiquery_attention")"))) ==
          6400 + layer(1, 2 * 64 * 256));
    CHECK(total_params(model(mpt + attention(R"(, "attn_type": "grouped_query_attention",
      "kv_n_heads": 2)"))) == 6400 + layer(2, 2 * 64 * 256));
    // Without slopes positions are a table; a gate is a third matrix, of a width of its own.
    CHECK(total_params(
              model(mpt + R"("ffn_config": {"ffn_type": "mptglu", "ffn_hidden_size": 96}})")) ==
          6400 + 50 * 64 + layer(4, 3 * 64 * 96));
    const std::string arctic = R"({"model_type": "arctic", "hidden_size": 64, "vocab_size": 100,
      "num_attention_heads": 4, "num_hidden_layers": 4, "intermediate_size": 32,
      "num_local_experts": 8, "num_experts_per_tok": 2, "moe_layer_frequency": 2)";
    const ModelSpec beside = model(arctic + R"(, "parallel_attn_mlp_res": true})");
    CHECK(layer_name(beside, 0) == "gqa/dense");
    CHECK(layer_name(beside, 1) == "gqa/moe");
    CHECK(total_params(beside) - total_params(model(arctic + "}")) == 2 * 3 * 64.0 * 64);
    const std::string qwen = R"({"model_type": "qwen", "hidden_size": 64, "vocab_size": 100,
      "num_attention_heads": 4, "num_hidden_layers": 2, "kv_channels": 16, "intermediate_size": )";
    CHECK(std::get<Dense>(model(qwen + "256}").ffns.front().shape).intermediate == 128);
    CHECK_THROWS_WITH_AS((void)model(qwen + "255}"),
                         "c.json:2:97: intermediate_size: expected an even number, got 255",
                         InputError);
    // 2.5 x sqrt(1024) = 80, of which steps of 32 make 64 or, with heads twice as large, 160.
    const auto ranks = [&](int head_dim) {
      const ModelSpec rwkv = model(fmt::format(
          R"({{"model_type": "rwkv7", "hidden_size": 1024, "num_hidden_layers": 2,
               "vocab_size": 100, "head_dim": {}}})",
          head_dim));
      const Rwkv7& shape = std::get<Rwkv7>(rwkv.attentions.front().shape);
      return std::vector<std::int64_t>{shape.decay_rank, shape.rate_rank, shape.value_rank,
                                       shape.gate_rank};
    };
    CHECK(ranks(64) == std::vector<std::int64_t>{64, 64, 64, 160});
    CHECK(ranks(128) == std::vector<std::int64_t>{160, 160, 96, 160});
  }

  TEST_CASE("overrides of single layers: what the family builds with them, layer by layer") {
    const auto model = [](const std::string& text) {
      return test::parse_model(
          config::import_config(json::parse(text, "c.json"), {.name = "c"}).yaml);
    };
    const std::string rest = R"("hidden_size": 64, "num_attention_heads": 4, "vocab_size": 100,
      "num_key_value_heads": 2, "intermediate_size": 128, "num_hidden_layers": 4, )";
    const ModelSpec llama = model(R"({"model_type": "llama", )" + rest + R"("per_layer_config": {
      "01": {"num_key_value_heads": 1, "intermediate_size": 32}, "03": {"skip": ["mlp"]}}})");
    REQUIRE(llama.layer_kinds.size() == 3);
    CHECK(layer_name(llama, 0) == "gqa/dense");
    CHECK(llama.layer_kinds[0].layers == 2);
    CHECK(layer_name(llama, 1) == "gqa-2/dense-2");
    CHECK(layer_name(llama, 2) == "gqa/none");
    CHECK(total_params(llama) -
              total_params(model(R"({"model_type": "llama", )" + rest + R"("x": 0})")) ==
          -(2 * 64.0 * 16 + 3 * 64.0 * (128 - 32) + 3 * 64.0 * 128));
    // Gemma 4 as transformers 5.15 writes it: what global layers override; null takes a key away.
    const std::string gemma = R"({"model_type": "gemma4_text", "attention_k_eq_v": true,
      "sliding_window": 32, "head_dim": 16, "hidden_size_per_layer_input": 0,
      "layer_types": ["sliding_attention", "sliding_attention", "sliding_attention",
      "full_attention"], )" + rest;
    const ModelSpec newer = model(gemma + R"("per_layer_config": {"3": {"head_dim": 32,
      "num_key_value_heads": 1}}})");
    const ModelSpec older =
        model(gemma + R"("global_head_dim": 32, "num_global_key_value_heads": 1})");
    CHECK(total_params(newer) == total_params(older));
    CHECK(cache_size(newer, 1e4).context.base() == cache_size(older, 1e4).context.base());
    const ModelSpec wide = model(R"({"model_type": "gpt_oss", "num_local_experts": 8,
      "num_experts_per_tok": 2, "sliding_window": 32, "head_dim": 16, )" +
                                 rest + R"("per_layer_config": {"0": {"num_local_experts": 4}}})");
    CHECK(wide.ffns.size() == 2);
  }

  TEST_CASE("class defaults fill in what a text_config leaves out, are noted, and only there") {
    const std::string nested = R"({"model_type": "gemma3", "text_config": {"model_type":
      "gemma3_text", "num_hidden_layers": 6}})";
    const config::Imported imported_family =
        config::import_config(json::parse(nested, "c.json"), {.name = "c"});
    const ModelSpec model = test::parse_model(imported_family.yaml);
    CHECK(model.hidden == 2304);
    CHECK(model.vocab == 262208);
    CHECK(model.tied_embeddings);
    CHECK(std::count_if(
              imported_family.notes.begin(), imported_family.notes.end(), [](const auto& note) {
                return note.kind == config::KeyNote::Kind::defaulted && note.key == "hidden_size" &&
                       note.why == "the default of gemma3_text";
              }) == 1);
    const std::string root = R"({"model_type": "gemma3_text", "num_hidden_layers": 6})";
    try {
      (void)config::import_config(json::parse(root, "c.json"), {.name = "c"});
      FAIL("a root without hidden_size imports");
    } catch (const InputError& error) {
      CHECK(std::string(error.what()) ==
            "c.json:1:1: missing key 'hidden_size'; if you know it, import with --assume "
            "hidden_size=VALUE");
    }
  }

  TEST_CASE("a checkpoint: a folder, a cached repository with refs and snapshots, params.json") {
    const test::TempFolder folder;
    const std::string config =
        test::read_file(std::string(AFFORD_SOURCE) + "/tests/import/qwen3-8b.json");
    folder.file("Qwen3-8B-FP8/config.json", config);
    folder.file("Qwen3-8B-FP8/hf_quant_config.json",
                R"({"quantization": {"quant_algo": "FP8", "kv_cache_quant_algo": "FP8"}})");
    const config::Checkpoint stored = config::read_checkpoint(folder.path("Qwen3-8B-FP8"));
    CHECK(stored.name == "qwen3-8b-fp8");
    REQUIRE(stored.beside);
    CHECK(test::parse_model(config::import_checkpoint(stored, {}).yaml).precision.kv == Dtype::fp8);
    folder.file("hub/models--Qwen--Qwen3-8B/refs/main", "0123abcd");
    folder.file("hub/models--Qwen--Qwen3-8B/snapshots/0123abcd/config.json", config);
    folder.file("hub/models--Qwen--Qwen3-8B/snapshots/ffff/config.json", "{}");
    ::setenv("HF_HUB_CACHE", folder.path("hub").c_str(), 1);
    CHECK(config::is_published("Qwen/Qwen3-8B"));
    CHECK(config::read_checkpoint("Qwen/Qwen3-8B").name == "qwen3-8b");
    CHECK_THROWS_WITH_AS(
        (void)config::read_checkpoint("Qwen/Qwen3-9B"),
        ("Qwen/Qwen3-9B: no such file, and no such repository in " + folder.path("hub")).c_str(),
        InputError);
    ::unsetenv("HF_HUB_CACHE");
    folder.file("mistral/params.json", R"({"dim": 64, "n_layers": 2, "head_dim": 16,
      "hidden_dim": 128, "n_heads": 4, "n_kv_heads": 2, "vocab_size": 100})");
    CHECK(config::read_checkpoint(folder.path("mistral")).name == "mistral");
    folder.file("empty/readme.txt", "");
    CHECK_THROWS_WITH_AS((void)config::read_checkpoint(folder.path("empty")),
                         (folder.path("empty") + ": the folder holds no config.json").c_str(),
                         InputError);
  }
}
