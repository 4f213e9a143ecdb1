// Mamba and Mamba-2 by hand, and MLPs without a gate.
#include <doctest/doctest.h>

#include "count/core.hpp"
#include "count/ffn.hpp"
#include "count/modules.hpp"
#include "count/params.hpp"
#include "deploy/evaluate.hpp"
#include "load/library.hpp"
#include "support.hpp"

using namespace afford;
using test::operation;

namespace {

/// state-spaces/mamba2-2.7b: 2560 hidden, expanded twice, heads of 64, states of 128, one group.
constexpr Mamba2 mamba{
    .heads = 80, .head_dim = 64, .state_dim = 128, .groups = 1, .conv_kernel = 4};

std::string mamba_yaml(std::string_view entry) {
  return test::replaced(
      test::replaced(test::model_yaml,
                     "gqa: {source: card, kind: gqa, query_heads: 8, kv_heads: 2, head_dim: 64}",
                     entry),
      "[gqa/moe]", "[ssm/moe]");
}

constexpr std::string_view ssm =
    "ssm: {source: card, kind: mamba2, heads: 8, head_dim: 64, state_dim: 128, groups: 2, "
    "conv_kernel: 4, state: fp32}";

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("Mamba-2: the published 2.7B parameters from the shapes") {
    const AttentionCount count = count_attention(mamba, 2560, Convention::exact);
    // in_proj: z and x of 5120, B and C of 128, dt of 80; out_proj: 5120.
    CHECK(weights_of(count.projections) == 2560.0 * (2 * 5120 + 2 * 128 + 80 + 5120));
    // 64 layers with a norm each, one table of 50,288 tokens, a last norm.
    const double layer = weights_of(count.projections) + count.norm_weights + 2560;
    CHECK(64 * layer + 50288.0 * 2560 + 2560 == doctest::Approx(2.7e9).epsilon(0.01));
    // Convolution and its bias over x, B and C; A, D and the bias of dt; the gated norm.
    CHECK(count.norm_weights == (4 + 1) * (5120 + 256) + 3 * 80 + 5120);
  }

  TEST_CASE("Mamba-2: a state of 80 x 64 x 128, five FLOPs an element, whatever the context") {
    const AttentionCount count = count_attention(mamba, 2560, Convention::exact);
    const double state = 80 * 64 * 128, channels = 5120 + 2 * 128;
    for (const double context : {1.0, 1e6}) {
      CHECK(core_flops(count.core, context) == 5 * state + 2 * 4 * channels);
      const CoreTraffic traffic = core_traffic(count.core, Dtype::fp32, context);
      CHECK(traffic.read.base() == 4 * state + 2 * 3 * channels);
      CHECK(traffic.updated.base() == 4 * state + 2 * channels);
      CHECK(core_kept(count.core, Dtype::fp32, context).total().base() ==
            4 * state + 2 * 3 * channels);
    }
    CHECK(describe(mamba) == "Mamba-2 80 x 64 x 128");
  }

  TEST_CASE("Mamba-2 in a model file: read, described, kept from --kv-dtype, evaluated") {
    const ModelSpec model = test::parse_model(mamba_yaml(ssm));
    CHECK(describe(model.attentions[0].shape) == "Mamba-2 8 x 64 x 128");
    CHECK(is_recurrent(model.attentions[0].shape));
    CHECK(model.attentions[0].cache == Dtype::fp32);
    const auto shapes = layer_shapes(model);
    const auto chips = load_hardware({"h800"});
    const Setting setting{.model = &model, .shapes = &shapes, .context = 4096};
    const Colocated c{.pool = {chips.data(), 1, 8}, .batch = 32, .layout = tensor_parallel(8)};
    const OpList ops = stage_ops(c, setting, 0).attention;
    // 32 requests, eight heads over eight accelerators.
    const double state = 8 * 64 * 128, channels = 8 * 64 + 2 * 2 * 128;
    CHECK(operation(ops, "core attention").cache.base() ==
          32 * (2 * 4 * state + 2 * 4 * channels) / 8);
    // z, x and dt split by heads, B and C by their two groups.
    CHECK(operation(ops, "q k v").weights.base() ==
          256.0 * ((512 + 512 + 8) / 8 + (256 + 256) / 2));
    CHECK(operation(ops, "out").weights.base() == 512 * 256 / 8);
  }

  TEST_CASE("Mamba-2: what a model file may get wrong") {
    CHECK(test::model_error(mamba_yaml(test::replaced(ssm, "groups: 2", "groups: 3"))) ==
          "m.yaml:8:85: attention.ssm.groups: heads (8) must be a multiple of groups, got 3");
    CHECK(test::model_error(mamba_yaml(test::replaced(ssm, "state: fp32", "kv: fp8")))
              .find("unknown key 'kv' in 'attention.ssm'") != std::string::npos);
    CHECK(test::model_error(mamba_yaml(test::replaced(ssm, ", conv_kernel: 4", "")))
              .find("missing key 'conv_kernel' in 'attention.ssm'") != std::string::npos);
  }

  TEST_CASE("Mamba: state-spaces/mamba-2.8b's 2,768,345,600 parameters from the shapes") {
    const Mamba1 first{.channels = 5120, .state_dim = 16, .dt_rank = 160, .conv_kernel = 4};
    const AttentionCount count = count_attention(first, 2560, Convention::exact);
    // in_proj: z and x; x_proj: B, C and dt; dt_proj; out_proj.
    CHECK(weights_of(count.projections) ==
          2560.0 * 2 * 5120 + 5120.0 * (2 * 16 + 160) + 160.0 * 5120 + 5120.0 * 2560);
    const double layer = weights_of(count.projections) + count.norm_weights + 2560;
    CHECK(64 * layer + 50280.0 * 2560 + 2560 == 2768345600);
    for (const double context : {1.0, 1e6}) {
      const double state = 5120 * 16;
      CHECK(core_flops(count.core, context) == 7 * state + 2 * 4 * 5120);
      const CoreTraffic traffic = core_traffic(count.core, Dtype::fp32, context);
      CHECK(traffic.read.base() == 4 * state + 2 * 3 * 5120);
      CHECK(traffic.updated.base() == 4 * state + 2 * 5120);
    }
    CHECK(describe(first) == "Mamba 5120 x 16");
  }

  TEST_CASE("Mamba in a model file: its channels split over a tensor-parallel group") {
    const ModelSpec model = test::parse_model(
        mamba_yaml("ssm: {source: card, kind: mamba1, channels: 512, state_dim: 16, dt_rank: 16, "
                   "conv_kernel: 4, state: fp32}"));
    CHECK(is_recurrent(model.attentions[0].shape));
    const auto shapes = layer_shapes(model);
    const auto chips = load_hardware({"h800"});
    const Setting setting{.model = &model, .shapes = &shapes, .context = 4096};
    const Colocated c{.pool = {chips.data(), 1, 8}, .batch = 32, .layout = tensor_parallel(8)};
    const OpList ops = stage_ops(c, setting, 0).attention;
    CHECK(operation(ops, "core attention").cache.base() ==
          32 * (2 * 4 * 512 * 16 + 2 * 4 * 512) / 8.0);
    CHECK(operation(ops, "q k v").weights.base() == 256.0 * 2 * 512 / 8);
    CHECK(operation(ops, "B C dt").weights.base() == 512.0 * (16 + 2 * 16) / 8);
    CHECK(operation(ops, "dt_up").weights.base() == 16.0 * 512 / 8);
    CHECK(operation(ops, "out").weights.base() == 512 * 256 / 8);
  }

  TEST_CASE("an MLP without a gate has two matrices, everywhere") {
    const ModelSpec gated = test::parse_model(test::model_yaml);
    const ModelSpec plain = test::parse_model(test::replaced(
        test::model_yaml, "intermediate: 512", "intermediate: 512\n    gated: false"));
    CHECK(describe(plain.ffns[0].shape) == describe(gated.ffns[0].shape) + ", no gate");
    const FfnCount three = count_ffn(gated.ffns[0].shape), two = count_ffn(plain.ffns[0].shape);
    CHECK(total_weights(two, 256) == 2 * 17 * 256.0 * 512);
    CHECK(3 * total_weights(two, 256) == 2 * total_weights(three, 256));
    CHECK(total_params(gated) - total_params(plain) == 4 * 17 * 256.0 * 512);
    const auto modules = count_modules(plain, Convention::exact, 1000);
    // Three MLPs of 256 FP8 inputs to 512 BF16 and back.
    CHECK(modules[3].activations.base() == 3 * (256 + 2 * 512 + 512 + 2 * 256));
  }
}
