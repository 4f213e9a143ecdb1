#include <doctest/doctest.h>

#include "text/quantity.hpp"

using namespace afford;

namespace {

constexpr Dimension byte_rate{.time = -1, .byte = 1}, bytes{.byte = 1},
    flop_rate{.time = -1, .flop = 1}, duration{.time = 1}, usd_rate{.time = -1, .usd = 1};

template <Dimension D>
double base(std::string_view text) {
  std::string why;
  const auto value = parse_quantity<D>(text, why);
  REQUIRE_MESSAGE(value.has_value(), why);
  return value->base();
}

template <Dimension D>
std::string complaint(std::string_view text) {
  std::string why = "no complaint";
  CHECK_FALSE(parse_quantity<D>(text, why).has_value());
  return why;
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("quantities are read with their unit, with or without a space") {
    CHECK(base<byte_rate>("3.35 TB/s") == 3.35e12);
    CHECK(base<byte_rate>("40GB/s") == 40e9);
    CHECK(base<byte_rate>("400 Gbit/s") == 50e9);
    CHECK(base<bytes>("80 GB") == 80e9);
    CHECK(base<bytes>("80 GiB") == 80 * 1073741824.0);
    CHECK(base<flop_rate>("1.98 PFLOP/s") == 1.98e15);
    CHECK(base<duration>("50ms") == doctest::Approx(0.05));
    CHECK(base<usd_rate>("1.8e0 USD/h") == 1.8 / 3600);
  }

  TEST_CASE("a number alone is no quantity, and a wrong unit is named") {
    CHECK(complaint<byte_rate>("4800") == "expected a bandwidth such as '4.8 TB/s', got '4800'");
    CHECK(complaint<byte_rate>("4.8 TBs") ==
          "expected a bandwidth such as '4.8 TB/s', got '4.8 TBs': unknown unit 'TBs'; did you "
          "mean 'TB/s'?");
    CHECK(complaint<bytes>("80 G") ==
          "expected a size such as '80 GB', got '80 G': unknown unit 'G'; did you mean 'GB'?");
    CHECK(complaint<flop_rate>("3.35 TB/s") ==
          "expected a compute rate such as '989 TFLOP/s', got '3.35 TB/s': unknown unit 'TB/s'; "
          "expected one "
          "of "
          "GFLOP/s, TFLOP/s, PFLOP/s");
    CHECK(complaint<duration>("-5 ms") == "expected a time such as '50 ms', got '-5 ms'");
    CHECK(complaint<duration>("nan ms") == "expected a time such as '50 ms', got 'nan ms'");
    CHECK(complaint<bytes>("1e308 TB") ==
          "expected a size such as '80 GB', got '1e308 TB'; from 1 B to 1e9 GB");
    CHECK(
        complaint<usd_rate>("1e-300 USD/h") ==
        "expected a price such as '2.00 USD/h', got '1e-300 USD/h'; from 1e-6 USD/h to 1e6 USD/h");
    CHECK(base<usd_rate>("1e-6 USD/h") == 1e-6 / 3600);
    CHECK(complaint<duration>("") == "expected a time such as '50 ms', got ''");
  }

  TEST_CASE("people see the unit that fits") {
    CHECK(human(ByteRate(3.35e12)) == "3.35 TB/s");
    CHECK(human(ByteRate(50e9)) == "50 GB/s");
    CHECK(human(FlopRate(1.98e15)) == "1.98 PFLOP/s");
    CHECK(human(Bytes(80e9)) == "80 GB");
    CHECK(human(0.67 * usd_per_hour) == "0.67 USD/h");
    CHECK(human(Watts(700)) == "700 W");
  }
}
