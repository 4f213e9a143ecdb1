#include "text/date.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>

namespace afford {
namespace {

bool has_shape(std::string_view text) {
  constexpr std::string_view pattern = "dddd-dd-dd";
  if (text.size() != 4 && text.size() != 7 && text.size() != 10) return false;
  return std::equal(text.begin(), text.end(), pattern.begin(), [](char c, char expected) {
    return expected == 'd' ? c >= '0' && c <= '9' : c == expected;
  });
}

unsigned two_digits(std::string_view text) {
  return static_cast<unsigned>((text[0] - '0') * 10 + (text[1] - '0'));
}

}  // namespace

bool is_date(std::string_view text) {
  if (!has_shape(text)) return false;
  const auto year = static_cast<int>(two_digits(text) * 100 + two_digits(text.substr(2)));
  const unsigned month = text.size() > 4 ? two_digits(text.substr(5)) : 1;
  const unsigned day = text.size() > 7 ? two_digits(text.substr(8)) : 1;
  return std::chrono::year_month_day(std::chrono::year(year), std::chrono::month(month),
                                     std::chrono::day(day))
      .ok();
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  return fmt::format("{:04}-{:02}-{:02}", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday);
}

}  // namespace afford
