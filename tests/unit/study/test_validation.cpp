#include <doctest/doctest.h>

#include "error.hpp"
#include "records/validation.hpp"
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
    const study::Validation v = study::validation("none");
    const auto tokens = [&](const std::string& name, double requests = 0) {
      for (const study::Judged& j : v.judged) {
        if (j.of.name != name) continue;
        return requests > 0 ? requests / j.predicted * 1000 : j.predicted;
      }
      FAIL("no case '" << name << "'");
      return 0.0;
    };
    // GB200, Qwen3-235B: 2518 against 2331 tokens/s/GPU at 8K, 98 against 171 at 128K.
    CHECK(tokens("FastAFD 7A1F at 8K") > tokens("vLLM Qwen3-235B EP16 at 8K", 96));
    CHECK(tokens("FastAFD 1A1F at 128K", 24.0 / 8) < tokens("vLLM Qwen3-235B EP16 at 128K", 6));
    // Ascend, DeepSeek-V3.2 at 16K: 441 against 465 a card, as transfers stop the attention.
    CHECK(tokens("vLLM DeepSeek-V3.2 48A16F on Ascend") <
          tokens("vLLM DeepSeek-V3.2 EP64 on Ascend"));
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
