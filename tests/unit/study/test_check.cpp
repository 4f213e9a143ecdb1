#include <doctest/doctest.h>

#include "error.hpp"
#include "study/check.hpp"
#include "study/entry.hpp"
#include "support.hpp"

using namespace afford;

TEST_SUITE("unit") {
  TEST_CASE("study: a file is what its keys say") {
    const test::TempFolder folder;
    CHECK(study::check_file(folder.file("m.yaml", test::model_yaml))
              .what.starts_with("ok, model tiny"));
    CHECK(study::check_file(folder.file("h.yaml", test::hardware_yaml)).what ==
          "ok, hardware chip");
    CHECK_THROWS_AS((void)study::check_file(folder.file("x.yaml", "schema: 1\n")), InputError);
  }

  TEST_CASE("study: a published count that the shapes do not give is a doubt") {
    const test::TempFolder folder;
    const std::string published =
        "published:\n"
        "  total_params: {value: 9e9, printed_to: 1e9, counts: [embedding], source: card}\n"
        "  active_params: {value: 8e9, printed_to: 1e9, counts: [embedding], source: card}\n";
    const study::FileCheck check =
        study::check_file(folder.file("m.yaml", std::string(test::model_yaml) + published));
    CHECK(check.what.empty());
    REQUIRE(check.doubts.size() == 2);
    CHECK(check.doubts[0].starts_with("total_params: the shapes give "));
    CHECK(check.doubts[0].find("published is 9e+09") != std::string::npos);
  }

  TEST_CASE("study: an entry is a model or a chip, by name or by path") {
    const test::TempFolder folder;
    CHECK(std::holds_alternative<ModelSpec>(study::entry("step-3")));
    CHECK(std::get<HardwareSpec>(study::entry("h200")).measured != nullptr);
    CHECK(std::holds_alternative<ModelSpec>(study::entry(folder.file("m.yaml", test::model_yaml))));
    CHECK(std::holds_alternative<HardwareSpec>(
        study::entry(folder.file("h.yaml", test::hardware_yaml))));
    CHECK_THROWS_AS((void)study::entry("step-4x"), UsageError);
  }
}
