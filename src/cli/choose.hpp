#pragma once
// From the text of a flag to a value, or a UsageError that names the flag.

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "error.hpp"
#include "text/number.hpp"
#include "text/quantity.hpp"
#include "text/suggest.hpp"

namespace afford::cli {

/// A name out of `names`, or a UsageError that says what `flag` expects.
template <class T, size_t N>
[[nodiscard]] T choose(const std::pair<std::string_view, T> (&names)[N], const std::string& text,
                       std::string_view flag) {
  std::vector<std::string_view> valid;
  for (const auto& [name, value] : names) {
    if (name == text) return value;
    valid.push_back(name);
  }
  throw UsageError(fmt::format("{}: unknown value '{}'{}", flag, text, suggestion(text, valid)));
}

/// Adds a value that is not there yet: given twice it would be dropped, or count twice.
template <class T>
void add_new(std::vector<T>& values, T value, std::string_view flag, std::string_view text) {
  if (std::find(values.begin(), values.end(), value) != values.end())
    throw UsageError(fmt::format("{}: {} a second time", flag, text));
  values.push_back(std::move(value));
}

/// A positive quantity out of the text of a flag. Throws UsageError.
template <Dimension D>
[[nodiscard]] Quantity<D> positive(const std::string& text, std::string_view flag) {
  std::string why;
  const auto value = parse_quantity<D>(text, why);
  if (!value) throw UsageError(fmt::format("{}: {}", flag, why));
  if (*value <= Quantity<D>(0)) throw UsageError(fmt::format("{}: expected more than zero", flag));
  return *value;
}

/// A whole number, of at most a billion either way. Throws UsageError.
[[nodiscard]] inline int whole_number(const std::string& text, const std::string& flag) {
  constexpr std::int64_t most = 1'000'000'000;
  const auto value = parse_integer(text);
  if (!value || *value < -most || *value > most) {
    throw UsageError(fmt::format("{}: expected a whole number{}, got '{}'", flag,
                                 value ? fmt::format(" of at most {}", most) : "", text));
  }
  return static_cast<int>(*value);
}

/// A number. Throws UsageError.
[[nodiscard]] inline double real_number(const std::string& text, const std::string& flag) {
  if (const auto value = parse_real(text)) return *value;
  throw UsageError(fmt::format("{}: expected a number, got '{}'", flag, text));
}

}  // namespace afford::cli
