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
}
