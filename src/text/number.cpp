#include "text/number.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "error.hpp"

namespace afford {
namespace {

constexpr std::int64_t kilo = 1024, mega = 1024 * 1024;
constexpr std::int64_t most_tokens = 1'000'000'000;
constexpr size_t most_in_range = 1000;

template <class T>
std::optional<T> parse_all(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::int64_t context_or_throw(std::string_view text, std::string_view whole) {
  if (const auto count = parse_token_count(text)) return *count;
  throw UsageError(fmt::format(
      "expected a context in tokens from 1 to 1e9, such as 8192, 8k or 4k..128k*2, got '{}'",
      whole));
}

}  // namespace

std::optional<std::int64_t> parse_integer(std::string_view text) {
  return parse_all<std::int64_t>(text);
}

std::optional<double> parse_real(std::string_view text) {
  const auto value = parse_all<double>(text);
  if (!value || !std::isfinite(*value)) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_token_count(std::string_view text) {
  std::int64_t scale = 1;
  if (!text.empty() && (text.back() == 'k' || text.back() == 'K')) scale = kilo;
  if (!text.empty() && (text.back() == 'm' || text.back() == 'M')) scale = mega;
  if (scale != 1) text.remove_suffix(1);
  const auto count = parse_integer(text);
  if (!count || *count < 1 || *count > most_tokens / scale) return std::nullopt;
  return *count * scale;
}

std::vector<std::int64_t> parse_token_counts(std::string_view text) {
  const size_t dots = text.find("..");
  if (dots == std::string_view::npos) return {context_or_throw(text, text)};
  const std::string_view rest = text.substr(dots + 2);
  const size_t op = rest.find_first_of("*+");
  if (op == std::string_view::npos) {
    throw UsageError(
        fmt::format("range '{}' needs a step, such as {}*2 or {}+8k", text, text, text));
  }
  const std::int64_t first = context_or_throw(text.substr(0, dots), text);
  const std::int64_t last = context_or_throw(rest.substr(0, op), text);
  const std::int64_t step = context_or_throw(rest.substr(op + 1), text);
  const bool multiply = rest[op] == '*';
  if (first > last || (multiply && step < 2)) {
    throw UsageError(fmt::format("range '{}' does not reach its end", text));
  }
  std::vector<std::int64_t> counts;
  for (std::int64_t at = first; at <= last; at = multiply ? at * step : at + step) {
    if (counts.size() == most_in_range) {
      throw UsageError(fmt::format("range '{}' has more than {} values", text, most_in_range));
    }
    counts.push_back(at);
  }
  return counts;
}

std::string token_count_text(std::int64_t tokens) {
  if (tokens >= mega && tokens % mega == 0) return fmt::format("{}M", tokens / mega);
  if (tokens >= kilo && tokens % kilo == 0) return fmt::format("{}K", tokens / kilo);
  return fmt::format("{}", tokens);
}

}  // namespace afford
