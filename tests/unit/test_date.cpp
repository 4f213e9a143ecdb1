#include <doctest/doctest.h>

#include "text/date.hpp"

using namespace afford;

TEST_SUITE("unit") {
  TEST_CASE("a date is a year, a month or a day that exists") {
    for (const char* text : {"2025", "2025-07", "2025-07-25", "2024-02-29"}) CHECK(is_date(text));
    for (const char* text : {"", "25", "2025-13", "2025-00", "2025-02-29", "2025-04-31", "2025-7",
                             "2025/07", "2025-07-25 ", "20xx"})
      CHECK_FALSE(is_date(text));
  }

  TEST_CASE("a time is read to the fraction of a second, in its zone") {
    const auto seconds = [](std::string_view text) {
      const std::optional<Timestamp> time = parse_timestamp(text);
      return time ? static_cast<double>(time->seconds) + time->fraction : -1.0;
    };
    CHECK(seconds("1970-01-02 00:00:00") == 86400);
    CHECK(seconds("1970-01-02T00:00:01.25") == 86401.25);
    CHECK(seconds("1970-01-02 02:00:00+02:00") == 86400);
    CHECK(seconds("1970-01-01 16:30:00.5-0730") == 86400.5);
    CHECK(seconds("2023-11-16 18:17:03Z") == 1700158623);
    for (const char* text :
         {"", "1970-01-02", "1970-02-30 00:00:00", "1970-01-02 24:00:00", "1970-01-02 00:60:00",
          "1970-01-02 00:00:60", "1970-01-02 00:00:00.", "1970-01-02 00:00:00+1",
          "1970-01-02 00:00:00 UTC", "1970-01-02_00:00:00", "1970-01-02?00:00:00"})
      CHECK_FALSE(parse_timestamp(text));
  }
}
