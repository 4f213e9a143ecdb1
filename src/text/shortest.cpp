#include "text/shortest.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <iterator>

namespace afford {
namespace {

/// "00" to "99", one after another.
constexpr std::array<char, 200> pairs = [] {
  std::array<char, 200> all{};
  for (size_t i = 0; i < 100; ++i) {
    all[2 * i] = static_cast<char>('0' + i / 10);
    all[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return all;
}();

/// The digits of a number in front of `end`; where they start.
char* write_digits(std::uint64_t number, char* end) {
  for (; number >= 100; number /= 100) std::memcpy(end -= 2, pairs.data() + 2 * (number % 100), 2);
  if (number >= 10) {
    std::memcpy(end -= 2, pairs.data() + 2 * number, 2);
  } else {
    *--end = static_cast<char>('0' + number);
  }
  return end;
}

}  // namespace

void append_shortest(std::string& out, double value) {
  // Numbers of other sizes are written with an exponent.
  constexpr double least = 1e-4, beyond = 1e16;
  if (!(value >= least && value < beyond)) {
    fmt::format_to(std::back_inserter(out), "{}", value);
    return;
  }
  constexpr size_t most = 32;  // seventeen digits, four zeros and a point; or zeros up to 1e16
  std::array<char, most> digits, text;
  const auto decimal = fmt::detail::dragonbox::to_decimal(value);
  char* const end = digits.data() + digits.size();
  char* const first = write_digits(decimal.significand, end);
  const auto count = static_cast<size_t>(end - first);
  const auto after = static_cast<size_t>(decimal.exponent < 0 ? -decimal.exponent : 0);
  char* to = text.data();
  if (after >= count) {
    to = static_cast<char*>(std::memcpy(to, "0.000", 5)) + 2 + (after - count);
    std::memcpy(to, first, count);
    to += count;
  } else if (after > 0) {
    const size_t before = count - after;
    std::memcpy(to, first, before);
    to[before] = '.';
    std::memcpy(to + before + 1, first + before, after);
    to += count + 1;
  } else {
    std::memcpy(to, first, count);
    const auto zeros = static_cast<size_t>(decimal.exponent);
    std::memset(to + count, '0', zeros);
    to += count + zeros;
  }
  out.append(text.data(), static_cast<size_t>(to - text.data()));
}

}  // namespace afford
