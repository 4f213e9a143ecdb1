#include <doctest/doctest.h>

#include "load/library.hpp"
#include "study/served_setup.hpp"

using namespace afford;
using namespace afford::study;

namespace {

ServedPoint moe_point(std::int64_t tp, std::optional<double> dp, std::int64_t moe_tp,
                      std::int64_t moe_ep) {
  ServedPoint point;
  point.engine = "vllm";
  point.chip = "h200";
  point.mode = "mixed";
  point.concurrency_or_batch = 16;
  point.tp = tp;
  point.attention_dp = dp;
  point.moe_tp = moe_tp;
  point.moe_ep = moe_ep;
  point.tpot_ms = 10;
  return point;
}

void check_worker(const Worker& worker, const Worker& expected) {
  CHECK(worker.gpus == expected.gpus);
  CHECK(worker.tensor == expected.tensor);
  CHECK(worker.expert_tensor == expected.expert_tensor);
  CHECK(worker.expert_groups == expected.expert_groups);
  CHECK(worker.requests == doctest::Approx(expected.requests));
}

ModelSpec model_called(const std::string& name) { return load_models({name}).front(); }

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("a worker has as many GPUs as its experts are spread over") {
    // One GPU a replica and experts over eight: data-parallel attention on eight.
    check_worker(worker_of(moe_point(1, 1, 1, 8), true), {8, 1, 1, 8, 16});
    check_worker(worker_of(moe_point(8, {}, 8, 1), true), {8, 8, 8, 1, 16});
    check_worker(worker_of(moe_point(4, {}, 2, 2), true), {4, 4, 2, 2, 16});
    // Nothing said of the experts: sharded over tp x dp GPUs.
    check_worker(worker_of(moe_point(4, 2, 0, 0), true), {8, 4, 8, 1, 16});
    // Factors that do not cover the GPUs.
    check_worker(worker_of(moe_point(8, {}, 2, 1), true), {8, 8, 8, 1, 16});
    // A dense model has no experts, whatever the columns say.
    check_worker(worker_of(moe_point(4, {}, 1, 1), false), {4, 4, 4, 1, 16});
  }

  TEST_CASE("parallelism multiplied by the experts' factor is taken apart again") {
    check_worker(worker_of(moe_point(64, 1, 8, 8), true), {8, 8, 1, 8, 16});
    check_worker(worker_of(moe_point(4, 1, 2, 2), true), {2, 2, 1, 2, 16});
    // One GPU a replica, 64 "replicas" of 2 requests: 8 replicas of 16.
    ServedPoint spread = moe_point(1, 64, 8, 8);
    spread.concurrency_or_batch = 2;
    check_worker(worker_of(spread, true), {8, 1, 1, 8, 16});
    // Without a stated dp the row means what it says.
    check_worker(worker_of(moe_point(4, {}, 2, 2), true), {4, 4, 2, 2, 16});
  }

  TEST_CASE("a series stated twice is the same server") {
    check_worker(worker_of(moe_point(4, 4, 1, 16), true), {4, 4, 1, 4, 64});
  }

  TEST_CASE("formats follow the checkpoint") {
    ServedPoint point = moe_point(8, {}, 8, 1);
    const auto in = [&](std::string linear, std::string experts, const std::string& model) {
      point.linear_format = std::move(linear);
      point.expert_format = std::move(experts);
      return served_precision(point, model_called(model));
    };
    const auto fp8 = in("fp8", "fp8_block", "deepseek-v3");
    REQUIRE(fp8.has_value());
    CHECK(fp8->attention_weights == Dtype::fp8);
    CHECK(fp8->ffn_compute == Dtype::fp8);
    CHECK(fp8->kv == Dtype::bf16);
    CHECK(fp8->attention_compute == Dtype::bf16);
    // Of a mixture of experts NVFP4 has the experts, of a dense model everything.
    CHECK(in("nvfp4", "nvfp4", "deepseek-v3")->attention_weights == Dtype::bf16);
    CHECK(in("nvfp4", "nvfp4", "deepseek-v3")->ffn_weights == Dtype::nvfp4);
    CHECK(in("nvfp4", "nvfp4", "qwen3-32b")->attention_weights == Dtype::nvfp4);
    // MXFP4 has no name of its own there.
    CHECK(in("fp8", "fp8", "gpt-oss-120b")->ffn_weights == Dtype::mxfp4);
    CHECK(in("nvfp4", "nvfp4", "gpt-oss-120b")->ffn_weights == Dtype::mxfp4);
    CHECK(in("int4_wo", "int4_wo", "kimi-k2.5")->ffn_weights == Dtype::int4g32);
    CHECK(in("nvfp4", "nvfp4", "kimi-k2.5")->ffn_weights == Dtype::nvfp4);
    CHECK(in("", "", "qwen3-32b")->ffn_weights == Dtype::bf16);
    CHECK_FALSE(in("fp7", "fp8", "qwen3-moe").has_value());
    point.engine = "trtllm";
    CHECK(in("fp8", "fp8", "qwen3-moe")->kv == Dtype::fp8);
    CHECK(in("", "", "qwen3-32b")->kv == Dtype::bf16);
    CHECK(in("fp8", "fp8", "gpt-oss-120b")->kv == Dtype::bf16);
  }

  TEST_CASE("points that say nothing of a decode step are told apart") {
    ServedPoint point = moe_point(8, {}, 8, 1);
    const auto why = [&] { return why_not_usable(point, worker_of(point, true)); };
    CHECK(why().empty());
    point.ttft_ms = 2999;
    CHECK(why().empty());
    point.ttft_ms = 3000;
    CHECK(why() == "requests queue (TTFT of 3 s and more)");
    point.mode = "decode_only";
    CHECK(why().empty());
    point.tpot_ms = 200;
    CHECK(why() == "TPOT of 200 ms and more");
    point.tpot_ms = 20;
    point.tp = point.moe_tp = 24;
    CHECK(why() == "a whole disaggregated system, not one server");
    point = moe_point(8, {}, 8, 1);
    point.engine = "trtllm";
    point.model = "deepseek-ai/DeepSeek-R1";
    point.engine_version = "1.1.0rc2.post2";
    point.linear_format = "fp8";
    CHECK(why() == "drafts tokens without saying so");
    point.linear_format = "nvfp4";
    CHECK(why().empty());
    point.engine_version = "1.2.0rc6.post3";
    CHECK(why().empty());
    point.chip = "b200";
    CHECK(why() == "drafts tokens without saying so");
  }

  TEST_CASE("a checkpoint is found by its published name") {
    CHECK(model_published_as("deepseek-ai/DeepSeek-R1") == "deepseek-v3");
    CHECK(model_published_as("nvidia/DeepSeek-V3.1-NVFP4") == "deepseek-v3");
    CHECK(model_published_as("Qwen/Qwen3-235B-A22B-FP8") == "qwen3-moe");
    CHECK(model_published_as("meta-llama/Llama-3.1-8B-Instruct") == "llama-3.1-8b");
    CHECK(model_published_as("nvidia/Llama-3.1-8B-Instruct-FP8") == "llama-3.1-8b");
    CHECK(model_published_as("zhipuai/GLM-5") == "glm-5");
    CHECK_FALSE(model_published_as("nobody/Nothing-7B").has_value());
  }
}
