#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "count/params.hpp"
#include "load/library.hpp"
#include "support.hpp"

using namespace afford;

TEST_SUITE("unit") {
  // Published counts, each with its source, stand in models/*.yaml. Active counts differ in whether
  // a publisher counts the embedding and the LM head; each file says which.
  TEST_CASE(
      "parameters summed over the shapes agree with every published count within 1 %, or as "
      "printed") {
    for (const ModelSpec& model : load_models({"all"})) {
      CAPTURE(model.name);
      REQUIRE(model.total_params);
      REQUIRE(model.active_params);
      const double total =
          total_params(model, {model.total_params->embedding, model.total_params->lm_head});
      const double active = active_params_as_published(model);
      CAPTURE(total);
      CAPTURE(active);
      CHECK(agrees(total, *model.total_params));
      CHECK(agrees(active, *model.active_params));
    }
  }

  TEST_CASE("these counts agree only as printed, not within 1 %") {
    std::vector<std::string> beyond;
    for (const ModelSpec& model : load_models({"all"})) {
      const double total = total_params(model), active = active_params_as_published(model);
      if (std::fabs(total / model.total_params->value - 1) > 0.01)
        beyond.push_back(model.name + " total");
      if (std::fabs(active / model.active_params->value - 1) > 0.01)
        beyond.push_back(model.name + " active");
    }
    // DeepSeek-V3 prints 37B for 36.6B (V3.2: without the indexer's 0.9B); V4-Flash 13B for 13.2B;
    // Kimi prints 1T for 1.03T; Llama 4 17B for 17.2B; MiniMax-M2.5 10B for 9.8B; Qwen3 cuts 3.35B
    // to 3.3B, MiniMax-M3 23.5B to 23B; the others print whole billions of small counts.
    CHECK(fmt::format("{}", fmt::join(beyond, ", ")) ==
          "deepseek-v3 active, deepseek-v3.2 active, deepseek-v4-flash active, "
          "deepseek-v4-pro total, gemma-3-27b total, glm-4.5-air active, "
          "granite-4.0-h-small active, kimi-k2 total, kimi-k2.5 total, llama-4-maverick active, "
          "mimo-v2-flash active, minimax-m2.5 active, minimax-m3 active, "
          "mistral-small-3.2 active, nemotron-3-super active, qwen3-30b-a3b active, "
          "qwen3-coder-480b-a35b active, qwen3-next-80b-a3b active, qwen3.5-397b-a17b active, "
          "qwen3.6-27b total, qwen3.6-35b-a3b active");
  }

  TEST_CASE("a tiny model by hand") {
    // Attention 256*(512+128+128+512) = 327680; norms 512; router 256*16; an MLP 3*256*512 =
    // 393216.
    const ModelSpec model = test::parse_model(test::model_yaml);
    const double layer = 327680 + 512 + 4096, vocabulary = 256.0 * 1000, final_norm = 256;
    CHECK(total_params(model) == 4 * (layer + 17 * 393216.0) + 2 * vocabulary + final_norm);
    CHECK(active_params(model) == 4 * (layer + 3 * 393216.0) + 2 * vocabulary + final_norm);
    CHECK(active_params(model, {.embedding = false, .lm_head = true}) ==
          active_params(model) - vocabulary);
    CHECK(sparsity(model) == doctest::Approx(3.0 / 17));
  }

  TEST_CASE("tied embeddings count once") {
    const auto tied = test::parse_model(
        test::replaced(test::model_yaml, "tied_embeddings: false", "tied_embeddings: true"));
    CHECK(total_params(test::parse_model(test::model_yaml)) - total_params(tied) == 256.0 * 1000);
  }

  TEST_CASE("a published count is met within 1 % or to its printed digit") {
    const PublishedCount count{.value = 37e9,
                               .printed_to = 1e9,
                               .cut = false,
                               .embedding = true,
                               .lm_head = true,
                               .source = ""};
    CHECK(agrees(37.44e9, count));
    CHECK_FALSE(agrees(37.6e9, count));
    CHECK_FALSE(agrees(36.4e9, count));
    PublishedCount cut = count;
    cut.cut = true;
    CHECK(agrees(37.9e9, cut));
    CHECK_FALSE(agrees(38.1e9, cut));
  }
}
