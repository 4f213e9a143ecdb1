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
      CHECK(j.fidelity == "roofline");
    }
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
