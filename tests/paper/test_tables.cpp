// The Step-3 report's published cells (arXiv 2507.19427, July 2025), each at its printed precision.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>

#include "ideal/ideal.hpp"
#include "ideal/matching.hpp"
#include "load/library.hpp"
#include "support.hpp"

using namespace afford;
using test::printed_fixed;
using test::printed_scientific;

namespace {

struct CountRow {
  const char* model;
  double context;
  const char *kv, *attention, *linear, *ffn;
};

constexpr CountRow counts[] = {
    // Table 2
    {"deepseek-v3", 8192, "2.88e+08", "1.47e+11", "2.28e+10", "4.84e+10"},
    {"qwen3-moe", 8192, "7.89e+08", "2.52e+10", "1.34e+10", "2.84e+10"},
    {"llama-4-maverick", 8192, "1.01e+09", "8.05e+09", "6.04e+09", "2.42e+10"},
    {"minimax-m1", 8192, "9.23e+08", "3.42e+09", "3.75e+10", "5.44e+10"},
    {"step-3", 8192, "2.56e+08", "3.27e+10", "2.07e+10", "5.33e+10"},
    // Table 3
    {"deepseek-v3", 32768, "1.15e+09", "5.89e+11", "2.28e+10", "4.84e+10"},
    {"qwen3-moe", 32768, "3.15e+09", "1.01e+11", "1.34e+10", "2.84e+10"},
    {"llama-4-maverick", 32768, "2.21e+09", "1.41e+10", "6.04e+09", "2.42e+10"},
    {"minimax-m1", 32768, "1.93e+09", "1.15e+10", "3.75e+10", "5.44e+10"},
    {"step-3", 32768, "1.02e+09", "1.31e+11", "2.07e+10", "5.33e+10"},
};

/// Table 6, columns h800, h20, a800, 910b: attention at 8K, attention at 32K, FFN; USD per 1M
/// tokens.
struct CostRow {
  const char* model;
  std::array<const char*, 4> attention_8k, attention_32k, ffn;
};

constexpr CostRow costs[] = {
    {"deepseek-v3",
     {"0.054", "0.128", "0.114", "0.113"},
     {"0.197", "0.460", "0.409", "0.407"},
     {"0.014", "0.036", "0.032", "0.032"}},
    {"qwen3-moe",
     {"0.135", "0.054", "0.091", "0.101"},
     {"0.527", "0.185", "0.338", "0.376"},
     {"0.008", "0.021", "0.019", "0.019"}},
    {"llama-4-maverick",
     {"0.169", "0.060", "0.109", "0.121"},
     {"0.369", "0.128", "0.235", "0.262"},
     {"0.007", "0.018", "0.016", "0.016"}},
    {"minimax-m1",
     {"0.164", "0.079", "0.121", "0.132"},
     {"0.330", "0.135", "0.226", "0.249"},
     {"0.015", "0.041", "0.036", "0.036"}},
    {"step-3",
     {"0.048", "0.040", "0.040", "0.043"},
     {"0.176", "0.114", "0.120", "0.133"},
     {"0.015", "0.040", "0.036", "0.035"}},
};

DecodeTerms paper_terms(const ModelSpec& model) {
  return decode_terms(model, Convention::paper, {});
}

}  // namespace

TEST_SUITE("paper") {
  TEST_CASE("Tables 2 and 3: KV bytes and FLOPs of a token") {
    for (const CountRow& row : counts) {
      CAPTURE(row.model);
      CAPTURE(row.context);
      const DecodeCount count =
          count_at(paper_terms(load_models({row.model}).front()), row.context);
      CHECK(printed_scientific(count.kv.base()) == row.kv);
      CHECK(printed_scientific(count.attention.base()) == row.attention);
      CHECK(printed_scientific(count.linear.base()) == row.linear);
      CHECK(printed_scientific(count.ffn.base()) == row.ffn);
    }
  }

  TEST_CASE("Table 6: USD per 1M tokens of attention and FFN on four chips") {
    const auto chips = load_hardware({"h800", "h20", "a800", "910b"});
    for (const CostRow& row : costs) {
      const ModelSpec model = load_models({row.model}).front();
      const DecodeTerms terms = paper_terms(model);
      for (size_t i = 0; i < chips.size(); ++i) {
        CAPTURE(row.model);
        CAPTURE(chips[i].name);
        const Roofs roof = roofs(chips[i], model.precision);
        const TokenCost at_8k = ideal_cost(terms, 8192, roof, chips[i].price.value).cost;
        const TokenCost at_32k = ideal_cost(terms, 32768, roof, chips[i].price.value).cost;
        CHECK(printed_fixed(at_8k.attention / usd_per_mtok, 3) == row.attention_8k[i]);
        CHECK(printed_fixed(at_32k.attention / usd_per_mtok, 3) == row.attention_32k[i]);
        CHECK(printed_fixed(at_8k.ffn / usd_per_mtok, 3) == row.ffn[i]);
      }
    }
  }

  TEST_CASE("headline: the cheapest pair of chips") {
    struct Row {
      const char *model, *attention_on, *at_8k, *at_32k;
    };
    constexpr Row rows[] = {{"step-3", "h20", "0.055", "0.129"},
                            {"deepseek-v3", "h800", "0.068", "0.211"},
                            {"qwen3-moe", "h20", "0.062", "0.193"}};
    for (const Row& row : rows) {
      const auto csv = test::parse_csv(
          test::run_afford(
              fmt::format("compare -m {} --on h800,h20,a800,910b -c 8k,32k --format csv",
                          row.model))
              .out);
      REQUIRE(csv.size() == 3);
      for (const size_t i : {size_t{1}, size_t{2}}) {
        CHECK(csv[i][2] == row.attention_on);
        CHECK(csv[i][3] == "h800");
        CHECK(printed_fixed(std::stod(csv[i][4]), 3) == (i == 1 ? row.at_8k : row.at_32k));
      }
    }
  }

  TEST_CASE("Section 5: ridges, intensities and Table 7's smallest sparsity") {
    const auto chips = load_hardware({"h800", "h20", "a800", "910b"});
    const ModelSpec step3 = load_models({"step-3"}).front();  // H = 7168, L = 61
    constexpr std::array ridges = {"591", "74", "156", "175"};
    constexpr std::array sparsities = {"0.058", "0.007", "0.031", "0.034"};
    for (size_t i = 0; i < chips.size(); ++i) {
      const Roofs roof = roofs(chips[i], step3.precision);
      const FlopsPerByte ridge = roof.ffn / roof.memory;
      CHECK(printed_fixed(ridge.base(), 0) == ridges[i]);
      CHECK(printed_fixed(min_sparsity(step3, ridge, server_network(chips[i]), {}), 3) ==
            sparsities[i]);
    }
    const Roofs h800 = roofs(chips[0], step3.precision);
    // With DeepEP's measured 40 GB/s a NIC instead of 50.
    CHECK(printed_fixed(min_sparsity(step3, h800.ffn / h800.memory, 8 * 40 * GB_per_s, {}), 3) ==
          "0.073");
    const auto intensity = [](const char* name) {
      return attention_intensity(paper_terms(load_models({name}).front()), 8192).base();
    };
    CHECK(intensity("step-3") == 128);
    CHECK(intensity("deepseek-v3") == 512);
    CHECK(intensity("qwen3-moe") == 32);
  }
}
