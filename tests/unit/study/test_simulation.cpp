#include <doctest/doctest.h>

#include "deploy/memory.hpp"
#include "error.hpp"
#include "load/library.hpp"
#include "records/simulation.hpp"
#include "study/simulation.hpp"

using namespace afford;

namespace {

study::SimulationRequest both_ways() {
  study::SimulationRequest request;
  request.models = {"step-3"};
  request.contexts = {4096, 8192};
  request.calibration = "none";
  request.engine = "ideal";
  request.afd = {.attention = {"h800", 2, 8}, .ffn = {"h800", 2, 8}, .batch = 6144};
  request.colocated = {.pool = {"h800", 4, 8}, .batch_per_gpu = 64};
  return request;
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("study: simulations come by deployment and context, with a cell for every column") {
    const study::Simulations s = study::simulations(both_ways());
    REQUIRE(s.rows.size() == 4);
    CHECK(s.rows[0].label == "2A2F");
    CHECK(s.rows[2].label == "EP32");
    CHECK(s.rows[1].setting.context == 8192);
    const auto record = simulation_record({});
    for (const study::Simulation& row : s.rows) CHECK(row_of(record, row).size() == record.size());
  }

  TEST_CASE("study: what a deployment serves is its rate over all its accelerators") {
    const study::Simulations s = study::simulations(both_ways());
    for (const study::Simulation& row : s.rows) {
      double accelerators = 0;
      for (const study::ChipsUsed& used : row.served.chips) accelerators += used.accelerators;
      CHECK(accelerators == real(row.result.evaluation.gpus));
      CHECK(row.served.tokens.base() ==
            doctest::Approx(row.result.evaluation.tokens_per_gpu.base() * accelerators));
      CHECK(row.served.fidelity == "roofline");
    }
  }

  // docs/engines.md has the sources: vllm-project/vllm#10511, #17122 and #21348,
  // ai-dynamo/aisimulate#263, NVIDIA/TensorRT-LLM#1400.
  TEST_CASE("study: caches that servers logged, each by its engine's rule, within 5 %") {
    struct Logged {
      std::string engine, model, chip;
      std::int64_t gpus = 8;
      double gigabytes = 0;  // of an accelerator, beside the weights
      std::optional<double> fraction = {};
    };
    for (const Logged& l : {Logged{"sglang", "deepseek-v3", "h200", 8, 509e3 * 70272 / 1e9, 0.82},
                            {"sglang", "qwen3-moe", "h100", 4, 17.67, 0.93},
                            {"vllm", "llama-3.1-8b", "h100", 1, 53.29 * 1.0737},
                            {"vllm", "llama-3.1-8b", "h100", 2, 58.97 * 1.0737},
                            {"vllm", "llama-3.1-8b", "l40s", 1, 158656e0 * 131072 / 1e9}}) {
      CAPTURE(l.engine);
      CAPTURE(l.model);
      CAPTURE(l.chip);
      study::SimulationRequest request;
      request.models = {l.model};
      request.contexts = {8192};
      request.engine = l.engine;
      request.memory_fraction = l.fraction;
      request.colocated = {.pool = {l.chip, 1, l.gpus}, .batch = 8, .tensor = l.gpus};
      const study::Simulations s = study::simulations(request);
      const MemoryUse& memory = s.rows[0].result.evaluation.attention_memory;
      CHECK((memory.capacity - memory.weights).base() / 1e9 ==
            doctest::Approx(l.gigabytes).epsilon(0.05));
    }
    const Bytes weights = 7.0 * GB;
    const UsableMemory left = usable_memory_of(load_engines({"tensorrt-llm"}).front(),
                                               load_hardware({"a100"}).front(), weights);
    CHECK((left.capacity - weights) / GB == doctest::Approx(69.52).epsilon(0.05));
  }

  // tenstorrent/tt-inference-server#356 (SGLang, TP16 over InfiniBand, one user) and
  // SemiAnalysisAI/InferenceX#828 (gpt-oss-120b on eight H100, 8 to 64 users of 1K in and out).
  TEST_CASE("study: few users under tensor parallelism, in one server and over two") {
    struct Measured {
      std::string engine, model;
      std::int64_t servers = 1, users = 1;
      double context = 1024, tpot_ms = 0;
    };
    for (const Measured& m : {Measured{"sglang", "deepseek-v3", 2, 1, 1024, 23.2},
                              {"sglang", "deepseek-v3", 2, 1, 4096, 23.7},
                              {"vllm", "gpt-oss-120b", 1, 8, 1536, 4.05},
                              {"vllm", "gpt-oss-120b", 1, 16, 1536, 4.83},
                              {"vllm", "gpt-oss-120b", 1, 32, 1536, 5.82},
                              {"vllm", "gpt-oss-120b", 1, 64, 1536, 7.36}}) {
      CAPTURE(m.users);
      CAPTURE(m.context);
      study::SimulationRequest request;
      request.models = {m.model};
      request.contexts = {static_cast<std::int64_t>(m.context)};
      request.engine = m.engine;
      request.colocated = {.pool = {"h100", m.servers, 8},
                           .batch = m.users,
                           .layout = tensor_parallel(8 * m.servers)};
      const study::Simulations s = study::simulations(request);
      CHECK(s.rows[0].result.evaluation.tpot / millisecond ==
            doctest::Approx(m.tpot_ms).epsilon(0.15));
    }
  }

  // 28 requests on four attention GPUs are seven each: four of one micro-batch, three of the other.
  TEST_CASE("study: requests that do not divide run as even as can be") {
    study::SimulationRequest request;
    request.models = {"qwen3-moe"};
    request.contexts = {32768};
    request.engine = "ideal";
    const auto step = [&](std::int64_t batch, std::vector<std::int64_t> sizes) {
      request.afd = {.attention = {"h800", 1, 4},
                     .ffn = {"h800", 1, 8},
                     .batch = batch,
                     .micro_batches = 2,
                     .micro_batch_sizes = std::move(sizes)};
      const study::Simulations s = study::simulations(request);
      return s.rows[0].result.evaluation;
    };
    // 28 on four accelerators: four and three, not twice four.
    const Evaluation uneven = step(28, {}), stated = step(28, {16, 12});
    CHECK(uneven.step == stated.step);
    CHECK(uneven.attention_memory.cache == stated.attention_memory.cache);
    CHECK(uneven.step < step(32, {}).step);
    CHECK(uneven.step > step(24, {}).step);
  }

  TEST_CASE("study: uneven micro-batches hold each request once") {
    study::SimulationRequest request = both_ways();
    request.contexts = {4096};
    request.tpot_limit = Seconds(1);
    request.colocated.reset();
    const auto run = [&](std::vector<std::int64_t> sizes) {
      request.afd = {.attention = {"h200", 1, 4},
                     .ffn = {"h200", 1, 8},
                     .micro_batch_sizes = std::move(sizes)};
      return study::simulations(request).rows.front().result.evaluation;
    };
    const Evaluation uneven = run({16, 12}), large = run({16, 16}), small = run({12, 12});
    CHECK(8 * uneven.attention_memory.cache == 7 * large.attention_memory.cache);
    CHECK(uneven.attention_memory.buffers == large.attention_memory.buffers);
    CHECK(uneven.ffn_memory.buffers == large.ffn_memory.buffers);
    CHECK(uneven.tpot < large.tpot);
    CHECK(uneven.tpot > small.tpot);
  }

  TEST_CASE("study: where no engine is named a current one is assumed, for AFD one that exists") {
    study::SimulationRequest request = both_ways();
    request.contexts = {4096};
    request.tpot_limit = Seconds(1);
    const study::Simulations ideal = study::simulations(request);
    request.engine.clear();
    const study::Simulations assumed = study::simulations(request);
    CHECK(assumed.rows[0].served.engine == "step");
    CHECK(assumed.rows[1].served.engine == "vllm");
    CHECK(assumed.rows[1].served.fidelity == "roofline");
    for (const study::Simulation& row : assumed.rows) {
      CHECK(row.result.interval.low < 1);
      CHECK(row.result.interval.high > 1);
    }
    CHECK(*assumed.rows[1].served.ideal < assumed.rows[1].served.tpot);
    CHECK(ideal.rows[1].served.tpot == *ideal.rows[1].served.ideal);
    CHECK_FALSE(ideal.rows[1].result.interval.known());
    // Named, one engine serves both.
    request.engine = "vllm";
    CHECK(study::simulations(request).rows[0].served.engine == "vllm");
  }

  TEST_CASE("study: a deployment that cannot be says which value is wrong") {
    study::SimulationRequest request = both_ways();
    request.afd->ffn_choice = FfnChoice::exact;
    request.afd->ffn_split = {3, 1};
    CHECK_THROWS_WITH_AS(
        (void)study::simulations(request),
        "ffn parallelism: tp3ep1 does not divide the 16 accelerators of the FFN pool", ValueError);
    request = both_ways();
    request.afd->batch = 6145;
    CHECK_THROWS_WITH_AS((void)study::simulations(request),
                         "batch: 6145 requests do not divide into 3 micro-batches; 6147 would",
                         ValueError);
    request = both_ways();
    request.afd->micro_batch_sizes = {2048, 1024};
    CHECK_THROWS_WITH_AS((void)study::simulations(request),
                         "micro-batch sizes: add up to 3072, not to a batch of 6144", ValueError);
    request = both_ways();
    request.jitter = 3;
    CHECK_THROWS_WITH_AS((void)study::simulations(request),
                         "jitter: expected a standard deviation from 0 to 2", ValueError);
    request = both_ways();
    request.afd.reset();
    request.colocated.reset();
    CHECK_THROWS_AS((void)study::simulations(request), UsageError);
  }

  TEST_CASE("study: a swept row knows its point, and feasible ones their cost") {
    study::SimulationRequest request = both_ways();
    request.contexts = {4096};
    request.colocated.reset();
    request.sweep = {{{study::Parameter::tpot, "", "1ms", 1, 1e-3}},
                     {{study::Parameter::tpot, "", "500ms", 500, 0.5}}};
    const study::Simulations s = study::simulations(request);
    REQUIRE(s.rows.size() == 2);
    CHECK_FALSE(s.rows[0].feasible());
    CHECK(s.rows[1].feasible());
    CHECK_FALSE(s.all_feasible());
    REQUIRE(s.swept_costs.size() == 1);
    CHECK(s.swept_costs[0].at == 500);
    CHECK(s.swept_costs[0].choice == "2A2F on h800");
  }
}
