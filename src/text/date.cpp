#include "text/date.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>

namespace afford {
namespace {

/// Whether each d of the pattern is a digit and the rest is as it stands.
bool matches(std::string_view text, std::string_view pattern) {
  return text.size() == pattern.size() &&
         std::equal(text.begin(), text.end(), pattern.begin(), [](char c, char expected) {
           return expected == 'd' ? c >= '0' && c <= '9' : c == expected;
         });
}

bool has_shape(std::string_view text) {
  return matches(text, "dddd") || matches(text, "dddd-dd") || matches(text, "dddd-dd-dd");
}

unsigned two_digits(std::string_view text) {
  return static_cast<unsigned>((text[0] - '0') * 10 + (text[1] - '0'));
}

/// Of a text that has the shape of a date.
std::chrono::year_month_day day_of(std::string_view text) {
  const auto year = static_cast<int>(two_digits(text) * 100 + two_digits(text.substr(2)));
  const unsigned month = text.size() > 4 ? two_digits(text.substr(5)) : 1;
  const unsigned day = text.size() > 7 ? two_digits(text.substr(8)) : 1;
  return {std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
}

/// Takes a fraction of a second, ".98", off the start of the text.
std::optional<double> take_fraction(std::string_view& text) {
  if (!text.starts_with('.')) return 0;
  text.remove_prefix(1);
  double value = 0, digit = 0.1;
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  for (const char c : text.substr(0, digits)) {
    value += digit * (c - '0');
    digit /= 10;
  }
  text.remove_prefix(digits);
  if (digits == 0) return std::nullopt;
  return value;
}

/// Seconds that the clocks of a zone are ahead of UTC.
std::optional<std::int64_t> zone_offset(std::string_view text) {
  if (text.empty() || text == "Z") return 0;
  if (!text.starts_with('+') && !text.starts_with('-')) return std::nullopt;
  const std::string_view clock = text.substr(1);
  if (!matches(clock, "dd:dd") && !matches(clock, "dddd")) return std::nullopt;
  const unsigned hours = two_digits(clock), minutes = two_digits(clock.substr(clock.size() - 2));
  if (hours > 23 || minutes > 59) return std::nullopt;
  return (text.front() == '-' ? -1 : 1) * (std::int64_t{hours} * 3600 + minutes * 60);
}

}  // namespace

bool is_date(std::string_view text) { return has_shape(text) && day_of(text).ok(); }

std::optional<Timestamp> parse_timestamp(std::string_view text) {
  constexpr std::string_view to_the_second = "dddd-dd-dd dd:dd:dd";
  constexpr size_t date = 10, clock = 11;
  std::string whole(text.substr(0, to_the_second.size()));
  if (whole.size() > date && whole[date] == 'T') whole[date] = ' ';
  if (!matches(whole, to_the_second)) return std::nullopt;
  const std::string_view shown = whole;
  const std::chrono::year_month_day day = day_of(shown.substr(0, date));
  const unsigned hours = two_digits(shown.substr(clock)),
                 minutes = two_digits(shown.substr(clock + 3)),
                 seconds = two_digits(shown.substr(clock + 6));
  std::string_view rest = text.substr(to_the_second.size());
  const std::optional<double> fraction = take_fraction(rest);
  const std::optional<std::int64_t> ahead = zone_offset(rest);
  if (!day.ok() || hours > 23 || minutes > 59 || seconds > 59 || !fraction || !ahead)
    return std::nullopt;
  constexpr std::int64_t seconds_a_day = 86400;
  const std::int64_t days = std::chrono::sys_days(day).time_since_epoch().count();
  return Timestamp{.seconds = days * seconds_a_day + hours * 3600 + minutes * 60 + seconds - *ahead,
                   .fraction = *fraction};
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  return fmt::format("{:04}-{:02}-{:02}", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday);
}

}  // namespace afford
