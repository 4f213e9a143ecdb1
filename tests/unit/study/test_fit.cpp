// What fits: against what public deployments hold, and against the memory counted one by one.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "load/library.hpp"
#include "study/fit.hpp"
#include "support.hpp"

using namespace afford;
using doctest::Approx;
using test::run_afford;

namespace {

study::FitRequest smallest(const std::string& model, const std::string& chip,
                           std::int64_t context) {
  study::FitRequest request;
  request.models = {model};
  request.contexts = {context};
  request.chips = {chip};
  return request;
}

study::Fit only(const study::FitRequest& request) { return study::fits(request).rows.front(); }

study::FitRequest deployed(const std::string& model, study::PoolRequest pool, const char* layout) {
  study::FitRequest request;
  request.models = {model};
  request.contexts = {4096};
  request.colocated = study::ColocatedRequest{
      .pool = std::move(pool), .batch = 1'000'000, .layout = parse_layout(layout)};
  return request;
}

}  // namespace

TEST_SUITE("unit") {
  // deepseek-ai/DeepSeek-R1#346: three servers of A800 with TP8 x PP3, 49 to 57 GB of weights a
  // card; four with TP32.
  TEST_CASE("DeepSeek-V3 in BF16 runs on 24 A800, in three stages, and on 32") {
    study::FitRequest request = smallest("deepseek-v3", "a800", 4096);
    request.what_if.formats.weights = Dtype::bf16;
    const study::Fit fit = only(request);
    CHECK(fit.holds);
    CHECK(fit.gpus == 24);
    CHECK(fit.reason.starts_with("the next smaller, a800:2x8: weights need "));
    study::FitRequest staged = deployed("deepseek-v3", {"a800", 3, 8}, "tp8,pp3");
    staged.what_if.formats.weights = Dtype::bf16;
    const study::Fit three = only(staged);
    CHECK(three.holds);
    CHECK(three.pools[0].use.weights / GB > 49);
    CHECK(three.pools[0].use.weights / GB < 65);
    study::FitRequest wide = deployed("deepseek-v3", {"a800", 4, 8}, "tp32");
    wide.what_if.formats.weights = Dtype::bf16;
    CHECK(only(wide).holds);
  }

  // vllm-project/vllm-project.github.io#286: 8 B300 or 16 B200.
  TEST_CASE("Kimi K3 runs on 8 B300 and on 16 B200, not on 8") {
    CHECK(only(smallest("kimi-k3", "b300", 8192)).gpus == 8);
    CHECK(only(smallest("kimi-k3", "b200", 8192)).gpus == 16);
  }

  // Model cards of GLM-4.5 (FP8 on 8 H100 or 4 H200, BF16 on 16 or 8), gpt-oss (120B on one H100,
  // 20B in 16 GB) and Kimi K2 (16 H200 at 128K); Llama-3.1-405B in FP8 on one server of H100.
  TEST_CASE("models run on as few accelerators as their cards say") {
    struct Card {
      std::string model, chip;
      std::int64_t gpus = 1, context = 8192;
      std::optional<Dtype> weights = {};
    };
    for (const Card& card : {Card{"glm-4.5", "h100", 8, 8192, Dtype::fp8},
                             {"glm-4.5", "h200", 4, 8192, Dtype::fp8},
                             {"glm-4.5", "h100", 16, 8192, Dtype::bf16},
                             {"glm-4.5", "h200", 8, 8192, Dtype::bf16},
                             {"gpt-oss-120b", "h100", 1},
                             {"gpt-oss-20b", "rtx-4090", 1},
                             {"kimi-k2", "h200", 16, 131072},
                             {"llama-3.1-405b", "h100", 8, 8192, Dtype::fp8}}) {
      CAPTURE(card.model);
      CAPTURE(card.chip);
      study::FitRequest request = smallest(card.model, card.chip, card.context);
      request.what_if.formats.weights = card.weights;
      request.max_gpus = 16;
      CHECK(only(request).gpus == card.gpus);
    }
  }

  // SGLang's documentation (DeepSeek-V3 in FP8 on 8 H200), vLLM's blog on Llama 3.1 (405B in BF16
  // on two servers of H100), vllm-project/vllm#21348 (Qwen3-235B in FP8 on 4 H100), vLLM's recipe
  // for MiniMax-M2.5 (400K tokens on 4 GPUs of 96 GB), GLM-5's card (FP8 on 8 H200), Mixtral
  // 8x22B's (BF16 in some 300 GB).
  TEST_CASE("deployments run on what is published, and the next smaller cluster says why not") {
    struct Published {
      std::string model, chip;
      std::int64_t gpus = 1, context = 8192;
      std::string reason;
      std::optional<Dtype> weights = {};
    };
    for (const Published& p :
         {Published{"deepseek-v3", "h200", 8, 8192, "h200:1x4: weights need 169 GB of 129.3 GB"},
          {"llama-3.1-405b", "h100", 16, 8192, "h100:1x8: weights need 101.5 GB of 70.57 GB",
           Dtype::bf16},
          {"qwen3-moe", "h100", 4, 8192, "h100:1x2: weights need 118.2 GB of 70.57 GB"},
          {"minimax-m2.5", "h20", 4, 400'000, "h20:1x2: weights need 115 GB of 85.96 GB"},
          {"glm-5", "h200", 8, 8192, "h200:1x4: weights need 187 GB of 129.3 GB", Dtype::fp8},
          {"mixtral-8x22b", "a100", 4, 8192, "a100:1x2: weights need 140.6 GB of 70.91 GB"}}) {
      CAPTURE(p.model);
      study::FitRequest request = smallest(p.model, p.chip, p.context);
      request.what_if.formats.weights = p.weights;
      request.max_gpus = 16;
      const study::Fit fit = only(request);
      CHECK(fit.holds);
      CHECK(fit.gpus == p.gpus);
      CHECK(fit.reason.starts_with("the next smaller, " + p.reason));
    }
  }

  TEST_CASE("an engine fills the memory by its own rule") {
    study::FitRequest request = smallest("deepseek-v3", "h200", 8192);
    const auto capacity = [&](const std::string& engine) {
      request.engine = engine;
      const study::Fit fit = only(request);
      CHECK(fit.engine == (engine.empty() ? "vllm" : engine));
      return fit.pools[0].use.capacity.base();
    };
    const HardwareSpec chip = load_chip("h200");
    const double visible = seen_memory(chip).base();
    CHECK(capacity("ideal") == Approx(0.92 * chip.memory_size.value.base()));
    CHECK(capacity("sglang") == Approx(0.88 * visible - 2.2e9).epsilon(1e-3));
    CHECK(capacity("vllm") == Approx(0.9 * visible - 6.4e9).epsilon(1e-3));
    CHECK(capacity("") == capacity("vllm"));
  }

  // sgl-project/sglang#3656: two servers of H100 with TP16.
  TEST_CASE("DeepSeek-R1 runs on two servers of H100, not on one") {
    CHECK(only(deployed("deepseek-v3", {"h100", 2, 8}, "tp16")).holds);
    CHECK(only(smallest("deepseek-v3", "h100", 4096)).gpus == 16);
  }

  TEST_CASE(
      "the requests that fit are those that fill the memory; the tokens are theirs and more") {
    const study::Fit fit = only(deployed("deepseek-v3", {"h200", 1, 8}, "ep8"));
    const MemoryUse& use = fit.pools[0].use;
    CHECK(use.total() <= use.capacity);
    CHECK(use.total() + (use.cache + use.buffers) / real(fit.requests / 8) > use.capacity);
    CHECK(fit.tokens >= real(fit.requests) * 4096);
    CHECK(fit.tokens < real(fit.requests + 8) * 4096 * 1.1);
    CHECK(fit.cache_of_token.base() == Approx(61 * 576 * 2));
    CHECK(fit.pools[0].kept_back() / GB == Approx(0.1 * 143771 * MiB / GB + 6.4));  // vLLM's rule
  }

  TEST_CASE("a smaller fraction of the memory holds less, a cluster too small says why") {
    study::FitRequest request = deployed("deepseek-v3", {"h20", 1, 8}, "tp8");
    const study::Fit all = only(request);
    request.memory_fraction = 0.895;
    const study::Fit less = only(request);
    CHECK(less.requests < all.requests);
    request.memory_fraction = 0.8;
    const study::Fit none = only(request);
    CHECK_FALSE(none.holds);
    CHECK(none.reason.starts_with("h20:1x8: weights need 85.01"));
    request.memory_fraction.reset();
    request.requests = 1'000'000;
    CHECK(only(request).reason ==
          "h20:1x8: holds " + std::to_string(all.requests) + " of 1000000 requests");
  }

  // deepseek-ai/DeepSeek-V3#212: TP8 on H20 with 0.98 of the memory.
  TEST_CASE("0.98 of an H20's memory leaves 9.1 GB beside the weights, the default one") {
    study::FitRequest request = deployed("deepseek-v3", {"h20", 1, 8}, "tp8");
    const auto left = [&] {
      const MemoryUse use = only(request).pools[0].use;
      return (use.capacity - use.weights) / GB;
    };
    CHECK(left() == Approx(0.95).epsilon(0.05));
    request.memory_fraction = 0.98;
    CHECK(left() == Approx(9.1).epsilon(0.05));
  }

  TEST_CASE("fit on the command line: rows, bars, exit status, and what it needs") {
    const test::Outcome two =
        run_afford("fit -m step-3 --attention h800:2x8 --ffn h800:2x8 -c 4k,32k");
    CHECK(two.code == 0);
    CHECK(two.out.find("step-3 at 32K, h800:2x8 2A2F: 80 GB on the fullest accelerator\n  [WW") !=
          std::string::npos);
    const auto rows = nlohmann::json::parse(
        run_afford("fit -m step-3 --attention h800:2x8 --ffn h800:2x8 -c 4k --format json").out);
    CHECK(rows.size() == 2);
    CHECK(rows[0]["part"] == "attention");
    CHECK(rows[1]["requests"] == rows[0]["requests"]);
    const test::Outcome never = run_afford("fit -m deepseek-v3 --on l4 -c 4k --max-gpus 8");
    CHECK(never.code == 1);
    CHECK(never.out.find("l4:1x8: weights need") != std::string::npos);
    CHECK(run_afford("fit -m step-3").err ==
          "afford: fit needs --on CHIP,.. for the smallest cluster, or --colocated POOL, or "
          "--attention POOL and --ffn POOL\n");
    CHECK(run_afford("fit -m step-3 --on h800 --memory-fraction 1.5").err ==
          "afford: --memory-fraction: expected more than 0 and at most 1, got 1.5\n");
  }
}
