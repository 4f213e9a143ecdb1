// The attention kinds of imported models, by hand.
#include <doctest/doctest.h>

#include "count/cache.hpp"
#include "count/core.hpp"
#include "count/decode.hpp"
#include "count/modules.hpp"
#include "count/params.hpp"
#include "load/library.hpp"
#include "support.hpp"

using namespace afford;

namespace {

/// Bytes of KV and state a decoded token moves, all layers.
double moved(const char* name, double context) {
  return count_at(decode_terms(load_models({name}).front(), Convention::exact, {}), context)
      .kv.base();
}

/// Bytes of KV a token of context takes.
double kept_per_token(const char* name) {
  return cache_size(load_models({name}).front(), 1 << 20).context.base() / (1 << 20);
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("KV bytes a token of context, by hand; BF16 unless said otherwise") {
    CHECK(kept_per_token("llama-3.1-70b") == 80 * 2 * 8 * 128 * 2);  // 327,680
    CHECK(kept_per_token("mixtral-8x7b") == 32 * 2 * 8 * 128 * 2);
    CHECK(kept_per_token("qwen3-8b") == 36 * 2 * 8 * 128 * 2);
    CHECK(kept_per_token("qwen3-30b-a3b") == 48 * 2 * 4 * 128 * 2);
    CHECK(kept_per_token("glm-4.5") == 92 * 2 * 8 * 128 * 2);
    CHECK(kept_per_token("minimax-m2.5") == 62 * 2 * 8 * 128 * 2);
    CHECK(kept_per_token("kimi-k2.5") == 61 * 576 * 2);                   // 70,272
    CHECK(kept_per_token("kimi-k3") == 24 * 576 * 2);                     // of 93 layers 24 are MLA
    CHECK(kept_per_token("qwen3-next-80b-a3b") == 12 * 2 * 2 * 256 * 2);  // 24,576
    CHECK(kept_per_token("qwen3.5-397b-a17b") == 15 * 2 * 2 * 256 * 2);
    // DSA: latents in BF16, index keys of 128 FP8 numbers and a scale of 4 bytes.
    CHECK(kept_per_token("deepseek-v3.2") == 61 * (576 * 2 + 132));
    CHECK(kept_per_token("glm-5") == 78 * (576 * 2 + 132));
    // gpt-oss: 18 full layers; 18 more keep 128 tokens.
    CHECK(kept_per_token("gpt-oss-120b") ==
          doctest::Approx(18 * 2 * 8 * 64 * 2 * (1 + 128.0 / (1 << 20))));
    CHECK(kept_per_token("step-3.5-flash") ==
          doctest::Approx(2 * 8 * 128 * 2 * (12 + 33 * 512.0 / (1 << 20))));
    // DeepSeek-V4: 21 layers keep a vector of 512 and an index key every 4 tokens, 20 one every
    // 128.
    CHECK(kept_per_token("deepseek-v4-flash") ==
          doctest::Approx(21 * (1024 + 132) / 4.0 + 20 * 1024 / 128.0 +
                          43 * 128 * 1024.0 / (1 << 20)));
  }

  TEST_CASE("gated delta net: Qwen3-Next by hand") {
    const GatedDeltaNet net{
        .key_heads = 16, .value_heads = 32, .key_dim = 128, .value_dim = 128, .conv_kernel = 4};
    const AttentionCount count = count_attention(net, 2048, Convention::exact);
    // q, k: 2048 each; v, gate, o: 4096 each; beta and decay: 64.
    CHECK(weights_of(count.projections) == 2048.0 * (2048 + 2048 + 4096 + 4096 + 64 + 4096));
    CHECK(count.core.state.elements == 32 * 128 * 128);
    CHECK(count.core.state.flops == 7 * 32 * 128 * 128 + 2 * 4 * 8192);
    CHECK(count.core.convolution.read == 3 * 8192);
    CHECK(count.core.convolution.written == 8192);
    CHECK(count.core.walks().empty());
    // A token moves the FP32 states twice, four BF16 inputs of the convolution, and the KV of 12
    // layers.
    CHECK(moved("qwen3-next-80b-a3b", 8192) ==
          36 * (2 * 524288 * 4.0 + 4 * 8192 * 2) + 12 * 2 * 2 * 256 * 2 * 8192.0);
    CHECK(cache_size(load_models({"qwen3-next-80b-a3b"}).front(), 8192).recurrent.base() ==
          36 * (524288 * 4.0 + 3 * 8192 * 2));
  }

  TEST_CASE("Kimi delta attention: K3 by hand") {
    const Kda kda{.heads = 96, .head_dim = 128, .conv_kernel = 4, .full_rank_gate = true};
    const AttentionCount count = count_attention(kda, 7168, Convention::exact);
    // q, k, v, gate, o: 12288; the decay through 128; beta: 96.
    CHECK(weights_of(count.projections) == 5 * 7168.0 * 12288 + 128.0 * (7168 + 12288) + 7168 * 96);
    CHECK(count.core.state.elements == 96 * 128 * 128);
    Kda narrow = kda;
    narrow.full_rank_gate = false;
    CHECK(weights_of(count_attention(narrow, 7168, Convention::exact).projections) ==
          4 * 7168.0 * 12288 + 2 * 128.0 * (7168 + 12288) + 7168 * 96);
  }

  TEST_CASE("DSA: the indexer walks the whole context, attention at most top_k") {
    const DecodeTerms terms =
        decode_terms(load_models({"deepseek-v3.2"}).front(), Convention::exact, {});
    const auto flops = [&](double context) {
      return count_at(terms, context).attention.base() / 61;
    };
    const double index = 2 * 64 * 129.0, core = 2 * 128 * (576 + 512.0);
    CHECK(flops(1024) == doctest::Approx(1024 * (index + core)));
    CHECK(flops(32768) == doctest::Approx(32768 * index + 2048 * core));
    CHECK(moved("deepseek-v3.2", 32768) == 61 * (32768 * 132.0 + 2048 * 1152));
    // Projections: MLA's, and 1536 -> 64 x 128, 7168 -> 64, 7168 -> 128.
    const Dsa dsa = std::get<Dsa>(load_models({"deepseek-v3.2"}).front().attentions[0].shape);
    CHECK(weights_of(count_attention(dsa, 7168, Convention::exact).projections) -
              weights_of(count_attention(dsa.mla, 7168, Convention::exact).projections) ==
          1536.0 * 8192 + 7168 * (64 + 128));
  }

  TEST_CASE("compressed attention: window, pooled entries, indexer") {
    const DecodeTerms terms =
        decode_terms(load_models({"deepseek-v4-flash"}).front(), Convention::exact, {});
    const double entry = 4 * 64 * 512.0, index = 2 * 64 * 129.0, context = 65536;
    CHECK(count_at(terms, context).attention.base() ==
          doctest::Approx(2 * 128 * entry + 21 * ((128 + 512) * entry + context / 4 * index) +
                          20 * (128 + context / 128) * entry));
    CHECK(moved("deepseek-v4-flash", context) ==
          doctest::Approx(2 * 128 * 1024 + 21 * ((128 + 512) * 1024 + context / 4 * 132) +
                          20 * (128 + context / 128) * 1024));
  }

  TEST_CASE(
      "output gates are projections; layers that reuse KV read it but neither make nor keep it") {
    Gqa gqa{.query_heads = 16, .kv_heads = 2, .head_dim = 256};
    const double plain = weights_of(count_attention(gqa, 2048, Convention::exact).projections);
    gqa.gate = OutputGate::element;
    CHECK(weights_of(count_attention(gqa, 2048, Convention::exact).projections) ==
          plain + 2048.0 * 4096);
    gqa.gate = OutputGate::head;
    CHECK(weights_of(count_attention(gqa, 2048, Convention::exact).projections) ==
          plain + 2048 * 16);
    gqa.gate = OutputGate::none;
    gqa.reuses_kv = true;
    const AttentionCount reusing = count_attention(gqa, 2048, Convention::exact);
    CHECK(weights_of(reusing.projections) == plain - 2 * 2048 * 512);
    CHECK(reusing.core.walks().front().elements == 2 * 512);
    const std::string path = std::string(AFFORD_SOURCE) + "/tests/import/hunyuan-large.json";
    CHECK(kept_per_token(path.c_str()) == 32 * 2 * 8 * 128 * 2);
    CHECK(moved(path.c_str(), 1000) == 64 * 2 * 8 * 128 * 2 * 1000.0);
  }

  TEST_CASE("the module view sums to the totals for every kind") {
    for (const ModelSpec& model : load_models({"all"})) {
      CAPTURE(model.name);
      FlopsPerToken flops;
      BytesPerToken bytes;
      for (const ModuleCount& module : count_modules(model, Convention::exact, 32768)) {
        if (module.module != "core") continue;
        flops += static_cast<double>(module.layers) * module.flops;
        bytes += static_cast<double>(module.layers) * module.cache_read;
      }
      const DecodeCount count = count_at(decode_terms(model, Convention::exact, {}), 32768);
      CHECK(flops.base() == doctest::Approx(count.attention.base()));
      // The totals write recurrent states, too, and the newest input of a convolution.
      CHECK(bytes.base() <= count.kv.base() * (1 + 1e-12));
    }
  }

  TEST_CASE("latent experts: two matrices around routed MLPs of their own width") {
    const ModelSpec k3 = load_models({"kimi-k3"}).front();
    const double expert = 3 * 3584.0 * 3072, shared = 2 * 3 * 7168.0 * 3072,
                 around = 2 * 7168.0 * 3584;
    CHECK(sparsity(k3) ==
          doctest::Approx((16 * expert + shared + around) / (896 * expert + shared + around)));
  }
}
