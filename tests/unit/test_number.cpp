#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <random>

#include "error.hpp"
#include "text/number.hpp"
#include "text/shortest.hpp"

using namespace afford;

TEST_SUITE("unit") {
  TEST_CASE("numbers are the whole text or nothing") {
    CHECK(parse_integer("7168") == 7168);
    CHECK_FALSE(parse_integer("71x"));
    CHECK_FALSE(parse_integer(""));
    CHECK_FALSE(parse_integer("1e3"));
    CHECK_FALSE(parse_integer("99999999999999999999"));
    CHECK(parse_real("1e12") == 1e12);
    CHECK_FALSE(parse_real("nan"));
    CHECK_FALSE(parse_real("inf"));
    CHECK_FALSE(parse_real("1e999"));
  }

  TEST_CASE("contexts count in 1024s and come in ranges") {
    CHECK(parse_token_count("8192") == 8192);
    CHECK(parse_token_count("8k") == 8192);
    CHECK(parse_token_count("1M") == 1048576);
    CHECK_FALSE(parse_token_count("0"));
    CHECK_FALSE(parse_token_count("8kk"));
    CHECK_FALSE(parse_token_count("99999999999k"));
    CHECK(parse_token_counts("4k..32k*2") == std::vector<std::int64_t>{4096, 8192, 16384, 32768});
    CHECK(parse_token_counts("8k..24k+8k") == std::vector<std::int64_t>{8192, 16384, 24576});
  }

  TEST_CASE("bad contexts say what was expected") {
    CHECK_THROWS_WITH_AS(
        (void)parse_token_counts("eight"),
        "expected a context in tokens from 1 to 1e9, such as 8192, 8k or 4k..128k*2, got 'eight'",
        UsageError);
    CHECK_THROWS_WITH_AS((void)parse_token_counts("8k..4k*2"),
                         "range '8k..4k*2' does not reach its end", UsageError);
    CHECK_THROWS_WITH_AS((void)parse_token_counts("4k..8k*1"),
                         "range '4k..8k*1' does not reach its end", UsageError);
    CHECK_THROWS_WITH_AS((void)parse_token_counts("4k..8k"),
                         "range '4k..8k' needs a step, such as 4k..8k*2 or 4k..8k+8k", UsageError);
    CHECK_THROWS_WITH_AS((void)parse_token_counts("1..1000000+1"),
                         "range '1..1000000+1' has more than 1000 values", UsageError);
  }

  TEST_CASE("token counts are shown as people write them") {
    CHECK(token_count_text(8192) == "8K");
    CHECK(token_count_text(1048576) == "1M");
    CHECK(token_count_text(4989) == "4989");
  }

  TEST_CASE("shortest: what fmt writes, of every size") {
    const auto shortest = [](double value) {
      std::string text = "of ";
      append_shortest(text, value);
      return text;
    };
    CHECK(shortest(0.1) == "of 0.1");
    CHECK(shortest(50) == "of 50");
    CHECK(shortest(352434.88159813365) == "of 352434.88159813365");
    for (const double value : {0.0, -0.0, -1.5, 1e-5, 9.999999999999999e-5, 1e-4, 0.00012345, 1.0,
                               1e15, 123456789012345680.0, 9007199254740993.0, 9999999999999998.0,
                               1e16, 1e300, 5e-324, HUGE_VAL})
      CHECK(shortest(value) == fmt::format("of {}", value));
    std::mt19937_64 bits(1);
    for (int i = 0; i < 100'000; ++i) {
      const double fraction = static_cast<double>(bits() >> 11) * 0x1p-53;
      const double value = std::ldexp(fraction, static_cast<int>(bits() % 80) - 20);
      REQUIRE(shortest(value) == fmt::format("of {}", value));
      const double few_digits = std::round(value * 1000) / 1000;
      REQUIRE(shortest(few_digits) == fmt::format("of {}", few_digits));
    }
  }
}
