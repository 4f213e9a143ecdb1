#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "load/library.hpp"

using namespace afford;

TEST_SUITE("unit") {
  TEST_CASE("an entry is named as its file") {
    for (const ModelSpec& model : load_models({"all"})) {
      CHECK(std::filesystem::path(model.file).stem().string() == model.name);
    }
    for (const HardwareSpec& chip : load_hardware({"all"})) {
      CHECK(std::filesystem::path(chip.file).stem().string() == chip.name);
    }
  }

  TEST_CASE("paths are told from names") {
    CHECK(is_path("./x.yaml"));
    CHECK(is_path("x.yaml"));
    CHECK_FALSE(is_path("ernie-4.5"));
    CHECK_FALSE(is_path("910b"));
  }

  // Step-3 report, arXiv 2507.19427, Table 4 and Section 5.
  TEST_CASE("the report's four chips carry the report's figures") {
    const auto chips = load_hardware({"h800", "h20", "a800", "910b"});
    const double bf16[] = {989e12, 148e12, 312e12, 280e12},
                 bandwidth[] = {3.35e12, 4e12, 2e12, 1.6e12};
    const double price[] = {2.00, 0.80, 0.75, 0.67}, network[] = {400e9, 400e9, 200e9, 200e9};
    for (size_t i = 0; i < 4; ++i) {
      CAPTURE(chips[i].name);
      CHECK(find_peak(chips[i], Dtype::bf16)->rate.value.base() == doctest::Approx(bf16[i]));
      CHECK(chips[i].memory_bandwidth.value.base() == doctest::Approx(bandwidth[i]));
      CHECK(chips[i].price.value / usd_per_hour == doctest::Approx(price[i]));
      CHECK(server_network(chips[i]).base() == doctest::Approx(network[i]));
    }
    CHECK(find_peak(chips[0], Dtype::fp8)->rate.value.base() == doctest::Approx(1.98e15));
    CHECK(find_peak(chips[1], Dtype::fp8)->rate.value.base() == doctest::Approx(296e12));
    CHECK(find_peak(chips[2], Dtype::fp8) == nullptr);
    CHECK(find_peak(chips[3], Dtype::fp8) == nullptr);
    CHECK(chips[3].price.estimate);
    CHECK_FALSE(chips[0].price.estimate);
  }

  TEST_CASE("layers of a repeated pattern add up by kind") {
    const ModelSpec llama = load_models({"llama-4-maverick"}).front();
    CHECK(layer_count(llama) == 48);
    REQUIRE(llama.layer_kinds.size() == 3);
    CHECK(llama.layer_kinds[0].layers == 24);  // chunked/dense
    CHECK(llama.layer_kinds[1].layers == 12);  // chunked/moe
    CHECK(llama.layer_kinds[2].layers == 12);  // full/moe
    CHECK(main_layer_kind(llama).layers == 24);
  }
}
