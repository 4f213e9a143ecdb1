#include "text/shortest.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

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

void write_pair(char* to, std::uint32_t number) { std::memcpy(to, pairs.data() + 2 * number, 2); }

/// All eight, leading zeros too.
void write_eight_digits(char* to, std::uint32_t number) {
  const std::uint32_t high = number / 10'000, low = number % 10'000;
  write_pair(to, high / 100);
  write_pair(to + 2, high % 100);
  write_pair(to + 4, low / 100);
  write_pair(to + 6, low % 100);
}

constexpr size_t most_digits = 17;  // of a double

/// The first number of each count of digits, and 0, which has one too.
constexpr std::array<std::uint64_t, most_digits + 1> powers = [] {
  std::array<std::uint64_t, most_digits + 1> all{0, 10};
  for (size_t i = 2; i < all.size(); ++i) all[i] = 10 * all[i - 1];
  return all;
}();

/// How many digits a number has, at most seventeen.
size_t digits_of(std::uint64_t number) {
  const auto guess = static_cast<size_t>(std::bit_width(number | 1)) * 1233 / 4096;  // log10(2)
  return guess + (number >= powers[guess] ? 1 : 0);
}

/// The digits of a number, from `first` on; what follows them may be copied along.
struct Digits {
  explicit Digits(std::uint64_t number) : count(digits_of(number)), first(most_digits - count) {
    constexpr std::uint64_t eight = 100'000'000;
    const auto high = static_cast<std::uint32_t>(number / eight);
    all[0] = static_cast<char>('0' + high / eight);
    write_eight_digits(all.data() + 1, static_cast<std::uint32_t>(high % eight));
    write_eight_digits(all.data() + 9, static_cast<std::uint32_t>(number % eight));
  }
  /// Those from the `from`-th on, in one move of a known length.
  void copy(char* to, size_t from) const {
    std::memcpy(to, all.data() + first + from, most_digits);
  }
  std::array<char, 2 * most_digits> all{};
  size_t count, first;
};

}  // namespace

char* write_shortest(char* to, double value) {
  // Numbers of other sizes are written with an exponent.
  constexpr double least = 1e-4, beyond = 1e16;
  if (!(value >= least && value < beyond)) return fmt::format_to(to, "{}", value);
  const auto decimal = fmt::detail::dragonbox::to_decimal(value);
  const Digits digits(decimal.significand);
  const size_t count = digits.count;
  if (decimal.exponent >= 0) {
    const auto zeros = static_cast<size_t>(decimal.exponent);
    digits.copy(to, 0);
    std::memset(to + count, '0', zeros);
    return to + count + zeros;
  }
  const auto after = static_cast<size_t>(-decimal.exponent);
  if (after >= count) {
    std::memcpy(to, "0.000", 5);
    to += 2 + (after - count);
    digits.copy(to, 0);
    return to + count;
  }
  const size_t before = count - after;
  digits.copy(to, 0);
  to[before] = '.';
  digits.copy(to + before + 1, before);
  return to + count + 1;
}

void append_shortest(std::string& out, double value) {
  std::array<char, longest_shortest> text;
  const char* const end = write_shortest(text.data(), value);
  out.append(text.data(), static_cast<size_t>(end - text.data()));
}

}  // namespace afford
