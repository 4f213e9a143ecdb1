// What an engine's pools of pages take for a request, with the examples of their documentation.
#include <doctest/doctest.h>

#include "deploy/cache_pages.hpp"
#include "deploy/memory.hpp"
#include "load/library.hpp"

using namespace afford;

namespace {

KeptKinds kinds_of(std::initializer_list<KeptLayers> layers) {
  KeptKinds kinds;
  for (const KeptLayers& one : layers) kinds.add(one);
  return kinds;
}

KeptKinds kinds_of(const std::string& model, double tensor = 1) {
  return kept_kinds(layer_shapes(load_models({model}).front()), tensor);
}

/// GB of a request of `context` tokens under an engine.
double cache_gb(const std::string& name, const std::string& engine, double context) {
  const ModelSpec model = load_models({name}).front();
  const std::vector<LayerShape> shapes = layer_shapes(model);
  const Setting setting{.model = &model, .shapes = &shapes, .context = context};
  return cache_per_request(setting, load_engines({engine}).front()) / GB;
}

const CachePages vllm{.tokens = 16, .one_size = true};
constexpr Bytes kilobyte(1024);

}  // namespace

TEST_SUITE("unit") {
  // vLLM, docs/design/hybrid_kv_cache_manager.md, cases 2 and 3.
  TEST_CASE("pages: layers in groups as large as the rarest kind, each with pages of one size") {
    const KeptKinds twenty = kinds_of(
        {{.layers = 10, .token = kilobyte}, {.layers = 20, .token = kilobyte, .window = 32}});
    // 7 pages of the full layers and 2 of each of two groups of window layers.
    CHECK(paged_cache(twenty, vllm, 112) == 11 * 10 * 16 * kilobyte);
    // A window that ends inside a page lies in one page more.
    CHECK(paged_cache(twenty, vllm, 104) == (7 + 2 * 3) * 10 * 16 * kilobyte);
    // Gemma 3: 10 full layers, 52 of a window in six groups, the last with 8 layers of padding.
    const KeptKinds gemma = kinds_of("gemma-3-27b");
    REQUIRE(gemma.count == 2);
    const double window = gemma.kinds[0].window + gemma.kinds[1].window;
    CHECK(paged_cache(gemma, vllm, 8192) ==
          (8192 + 6 * window) * 10 * std::max(gemma.kinds[0].token, gemma.kinds[1].token));
    // A drafter's full layer more than those of a window (gpt-oss-20b): groups of 13.
    const KeptKinds drafted = kinds_of(
        {{.layers = 13, .token = kilobyte}, {.layers = 12, .token = kilobyte, .window = 128}});
    CHECK(paged_cache(drafted, vllm, 1024) == (1024 + 128) * 13 * kilobyte);
  }

  // alvarobartt/hf-mem#61: vLLM logs 24.54 GiB as 26800 tokens of Gemma-4-31B, 983,195 bytes each,
  // counting a page of 16 for every group.
  TEST_CASE("pages: layers of fewer bytes a token have pages of more tokens") {
    const KeptKinds gemma = kinds_of("gemma-4-31b");
    CHECK(paged_cache(gemma, vllm, 16).base() / 16 == doctest::Approx(983195).epsilon(0.001));
    CHECK(paged_cache(gemma, vllm, 32) < 2 * paged_cache(gemma, vllm, 16));
  }

  // vllm-project/vllm#24280: pages of 672 tokens for Nemotron-Nano-9B-v2, whose 128 heads have
  // states of 80 x 128 values and three inputs of 12288 channels, in BF16, beside 8 KV heads of
  // 128.
  TEST_CASE("pages: beside recurrent layers a page holds a state") {
    const Bytes state(2 * (128 * 80 * 128 + 3 * 12288)), entry(2 * 2 * 8 * 128);
    const KeptKinds nemotron =
        kinds_of({{.layers = 4, .token = entry}, {.layers = 27, .state = state}});
    CHECK(shared_page(nemotron, 16) == 672 * entry);
    // One page of the full layers up to 672 tokens, and seven groups of states.
    CHECK(paged_cache(nemotron, vllm, 500) == (1 + 7) * 4 * 672 * entry);
    CHECK(paged_cache(nemotron, vllm, 673) == (2 + 7) * 4 * 672 * entry);
  }

  // sgl-project/sglang#39310: 9 full layers of 18432 bytes a token, 27 of a window of 512 of 55296.
  TEST_CASE("pages: window layers of a pool of fixed share hold more than their window") {
    const KeptKinds spark = kinds_of(
        {{.layers = 9, .token = Bytes(2048)}, {.layers = 27, .token = Bytes(2048), .window = 512}});
    const CachePages sglang{.tokens = 1, .window_share = 0.8};
    CHECK(paged_cache(spark, sglang, 8192).base() == doctest::Approx(8192 * (18432 + 0.8 * 55296)));
    // Below the window its own pool, smaller by the share, is full first.
    CHECK(paged_cache(spark, sglang, 400).base() ==
          doctest::Approx(400 / 0.8 * (18432 + 0.8 * 55296)));
    // A share of one: every layer holds every token.
    CHECK(paged_cache(spark, {.tokens = 1, .window_share = 1}, 8192).base() == 8192.0 * 73728);
    // Without layers of a window nothing is shared out.
    const KeptKinds full = kinds_of({{.layers = 9, .token = kilobyte}});
    CHECK(paged_cache(full, sglang, 100) == 900 * kilobyte);
  }

  TEST_CASE("pages: engines hold a model of windows by their own rules") {
    // gpt-oss-120b: 18 layers of 8192 tokens and 18 of 128, 2048 bytes a token each.
    const double full = 8192.0 * 18 * 2048 / 1e9, window = 128.0 * 18 * 2048 / 1e9;
    CHECK(cache_gb("gpt-oss-120b", "vllm", 8192) == doctest::Approx(full + window));
    CHECK(cache_gb("gpt-oss-120b", "tensorrt-llm", 8192) == doctest::Approx(full + window));
    CHECK(cache_gb("gpt-oss-120b", "sglang", 8192) == doctest::Approx(1.8 * full));
    // Pages round up; without an engine nothing does.
    CHECK(cache_gb("qwen3-8b", "ideal", 1001) < cache_gb("qwen3-8b", "vllm", 1001));
    CHECK(cache_gb("qwen3-8b", "vllm", 1001) == cache_gb("qwen3-8b", "ideal", 1008));
    CHECK(cache_gb("qwen3-8b", "tensorrt-llm", 1001) == cache_gb("qwen3-8b", "ideal", 1024));
    // Entries beyond a window have rules of their own.
    CHECK(kinds_of("deepseek-v4-flash").mixed);
    CHECK(cache_gb("deepseek-v4-flash", "vllm", 4096) ==
          cache_gb("deepseek-v4-flash", "ideal", 4096));
  }

  TEST_CASE("pages: heads are shared out, layers alike are counted together") {
    const KeptKinds whole = kinds_of("gpt-oss-120b"), eighth = kinds_of("gpt-oss-120b", 8);
    CHECK(paged_cache(whole, vllm, 4096) == 8 * paged_cache(eighth, vllm, 4096));
    CHECK(kinds_of("deepseek-v3").count == 1);  // dense layers and those of experts
  }
}
