#include <doctest/doctest.h>

#include "error.hpp"
#include "records/validation.hpp"
#include "study/simulation.hpp"
#include "study/validation.hpp"

using namespace afford;

TEST_SUITE("unit") {
  TEST_CASE("study: every published case is judged by its own tolerance, or left out aloud") {
    const study::Validation v = study::validation("none");
    CHECK(v.judged.size() + v.skipped == v.cases.list.size());
    CHECK(v.skipped > 0);  // nothing is calibrated with `none`
    for (const study::Judged& j : v.judged) {
      CAPTURE(j.of.name);
      CHECK(j.deviation_pct == doctest::Approx(100 * (j.predicted / j.of.published - 1)));
      CHECK(j.within == (std::abs(j.deviation_pct) <= j.of.tolerance_pct + 1e-9));
      CHECK(j.fidelity.starts_with("roofline"));
    }
  }

  TEST_CASE("AFD and EP come out in the order that was measured, each on an engine that exists") {
    struct Placed {
      std::int64_t context = 0, requests_per_gpu = 0, attention_trays = 0;
      bool afd_is_faster = false;
      Boundary boundary = Boundary::attention;
      std::optional<Dtype> weights = {};
    };
    // GB200, Qwen3-235B, against EP16: 2518 and 2331 tokens/s/GPU at 8K; at 128K 98 and 117 on one
    // tray beside one, 183 on fifteen with the tuned kernel, 174 on two with experts in FP4,
    // against 171.
    for (const Placed& p : {Placed{8192, 96, 7, true},
                            {131072, 6, 1, false},
                            {131072, 6, 15, true},
                            {131072, 6, 1, false, Boundary::core},
                            {131072, 6, 2, true, Boundary::core, Dtype::fp4}}) {
      study::SimulationRequest request;
      request.models = {"qwen3-moe"};
      request.contexts = {p.context};
      request.afd = {.attention = {"gb200", p.attention_trays, 4},
                     .ffn = {"gb200", 1, 4},
                     .batch = p.attention_trays * 4 * p.requests_per_gpu,
                     .micro_batches = 2,
                     .boundary = p.boundary};
      // EP ran in FP8.
      study::SimulationRequest colocated = request;
      colocated.afd.reset();
      colocated.colocated = {.pool = {"gb200", 4, 4}, .batch_per_gpu = p.requests_per_gpu};
      request.what_if.formats.weights = p.weights;
      const study::Simulations afd = study::simulations(request),
                               ep = study::simulations(colocated);
      CAPTURE(p.context);
      CAPTURE(p.attention_trays);
      CHECK(afd.rows[0].served.engine == "fastafd");
      CHECK(ep.rows[0].served.engine == "vllm");
      CHECK((afd.rows[0].result.evaluation.tokens_per_gpu >
             ep.rows[0].result.evaluation.tokens_per_gpu) == p.afd_is_faster);
    }
    // Ascend, DeepSeek-V3.2 at 16K: 441 against 465 a card, as transfers stop the attention.
    const study::Validation v = study::validation("none");
    const auto of_case = [&](const std::string& name) {
      for (const study::Judged& j : v.judged) {
        if (j.of.name == name) return j.predicted;
      }
      FAIL("no case '" << name << "'");
      return 0.0;
    };
    CHECK(of_case("vLLM DeepSeek-V3.2 48A16F on Ascend") <
          of_case("vLLM DeepSeek-V3.2 EP64 on Ascend"));
  }

  TEST_CASE("study: kernel tables follow the cases in files, and stand apart for people") {
    const study::Validation v = study::validation("none");
    size_t points = 0;
    for (const study::KernelTable& table : v.tables) points += table.points.size();
    CHECK(validation_table(v, KernelRows::left_out).rows.size() == v.judged.size());
    CHECK(validation_table(v, KernelRows::appended).rows.size() == v.judged.size() + points);
    CHECK(kernel_table(v).rows.size() == v.tables.size());
  }

  TEST_CASE("study: a folder without tables is named by what it is") {
    CHECK_THROWS_AS((void)study::validation_of_tables("/nowhere", "none"), ValueError);
  }
}
