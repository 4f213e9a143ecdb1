// Prompts on pools: against published servers, and the parts against one another.
#include <doctest/doctest.h>

#include "study/prefill.hpp"
#include "support.hpp"

using namespace afford;
using doctest::Approx;

namespace {

study::PrefillRequest on(const std::string& model, study::PoolRequest pool, const char* layout) {
  study::PrefillRequest request;
  request.models = {model};
  request.contexts = {4096};
  request.pools = {{.pool = std::move(pool), .layout = parse_layout(layout)}};
  return request;
}

study::Prefill only(const study::PrefillRequest& request) {
  return study::prefills(request).rows.front();
}

}  // namespace

TEST_SUITE("unit") {
  // Ant Group and LMSYS, "Together with SGLang: DeepSeek on H20-96G" (2025-09): prompts of 4K on
  // TP8, 16.5k tokens/s a server.
  TEST_CASE("a server of H20 works off DeepSeek-R1's prompts as fast as was measured") {
    study::PrefillRequest request = on("deepseek-v3", {"h20-141g", 1, 8}, "tp8");
    request.engine = "sglang";
    const study::Prefill row = only(request);
    CHECK(row.holds());
    CHECK(8 * row.tokens_per_gpu().base() == Approx(16500).epsilon(0.2));
  }

  TEST_CASE("a prompt behind a cached prefix is what the whole takes beyond the prefix") {
    for (const char* model : {"llama-3.1-8b", "qwen3-30b-a3b", "gpt-oss-20b"}) {
      CAPTURE(model);
      study::PrefillRequest request = on(model, {"h200", 1, 8}, "tp8");
      request.calibration = "none";  // measured kernels work in whole tiles and waves
      request.contexts = {6000};
      const PromptTime whole = only(request).parts;
      request.contexts = {2000};
      const PromptTime prefix = only(request).parts;
      request.contexts = {4000};
      request.cached = 2000;
      const study::Prefill rest = only(request);
      CHECK(rest.parts.core.base() == Approx((whole.core - prefix.core).base()));
      CHECK(rest.parts.products.base() == Approx((whole.products - prefix.products).base()));
      CHECK(rest.parts.passes.base() == Approx((whole.passes - prefix.passes).base()));
    }
  }

  TEST_CASE("replicas work side by side; a pool bills each million of new tokens") {
    const study::Prefill one = only(on("llama-3.1-8b", {"h200", 1, 1}, "tp1")),
                         eight = only(on("llama-3.1-8b", {"h200", 1, 8}, "tp1"));
    CHECK(eight.tokens_per_gpu().base() == Approx(one.tokens_per_gpu().base()));
    CHECK(eight.cost() / usd_per_mtok ==
          Approx(eight.price / usd_per_hour / 3600 / (8 * eight.tokens_per_gpu().base()) * 1e6));
  }

  TEST_CASE("what does not fit says so") {
    const study::Prefill row = only(on("deepseek-v3", {"h20", 1, 4}, "tp4"));
    CHECK_FALSE(row.holds());
    const test::Outcome refused = test::run_afford(
        "prefill -m deepseek-v3 --colocated h20:1x4 --parallelism tp4 --format csv");
    CHECK(refused.code == 1);
    CHECK(refused.out.find(",no,needs ") != std::string::npos);
    CHECK(test::run_afford("prefill -m llama-3.1-8b --colocated h20:1x1 --mtp 1").err ==
          "afford: --mtp has no effect on prompts: drafts are decoded\n");
    CHECK(test::run_afford("prefill -m llama-3.1-8b").err ==
          "afford: prefill needs --colocated POOL, such as --colocated h800:1x8\n");
  }
}
