#include <doctest/doctest.h>

#include "error.hpp"
#include "text/number.hpp"

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
}
