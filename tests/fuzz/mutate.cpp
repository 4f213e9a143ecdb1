#include "fuzz/mutate.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

namespace afford::fuzz {
namespace {

using namespace std::string_view_literals;

constexpr size_t longest = size_t{1} << 16;

constexpr std::string_view numbers[] = {"0",    "-1",    "1e308", "1e-308",
                                        "nan",  "inf",   "1e999", "9223372036854775807",
                                        "0.5",  "65537", "-0",    "18446744073709551616",
                                        "1e18", "3",     "",      "00"};
constexpr std::string_view pieces[] = {
    "\0"sv, "\xff"sv, "\n"sv, "\r\n"sv, ","sv,  ":"sv,  ": "sv, "["sv,    "]"sv,      "{"sv,
    "}"sv,  "\""sv,   "'"sv,  "\\"sv,   "#"sv,  "-"sv,  "="sv,  "&a "sv,  "*a"sv,     "!!int "sv,
    "|"sv,  "%"sv,    "<"sv,  "\x1b"sv, "\t"sv, "~"sv,  "- "sv, "null"sv, "true"sv,   "GB/s"sv,
    "ms"sv, ".."sv,   "*2"sv, "all"sv,  "é"sv,  " 1"sv, "/"sv,  "\xc3"sv, "\ufeff"sv, "\u2028"sv};

/// Where a number starts at or after `from`, and where it ends.
std::pair<size_t, size_t> number_after(const std::string& text, size_t from) {
  constexpr std::string_view digits = "0123456789";
  const size_t start = text.find_first_of(digits, from);
  if (start == std::string::npos) return {text.size(), text.size()};
  const size_t end = text.find_first_not_of("0123456789.eE", start);
  return {start, std::min(end, text.size())};
}

/// Where the line of `at` starts, and where the next one does.
std::pair<size_t, size_t> line_at(const std::string& text, size_t at) {
  const size_t before = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
  const size_t start = before == std::string::npos ? 0 : before + 1;
  const size_t end = text.find('\n', at);
  return {start, end == std::string::npos ? text.size() : end + 1};
}

}  // namespace

Mutator::Mutator(std::vector<std::string> corpus, std::uint32_t seed)
    : corpus_(std::move(corpus)), random_(seed) {}

// Not std::uniform_int_distribution, which differs between libraries.
size_t Mutator::below(size_t count) { return count == 0 ? 0 : random_() % count; }

void Mutator::change(std::string& text) {
  const size_t at = below(text.size() + 1);
  switch (below(8)) {
    case 0:
      if (at < text.size()) text[at] = static_cast<char>(below(256));
      return;
    case 1:
      text.insert(at, pieces[below(std::size(pieces))]);
      return;
    case 2:
      text.erase(at, 1 + below(16));
      return;
    case 3: {
      const auto [start, end] = number_after(text, at);
      text.replace(start, end - start, numbers[below(std::size(numbers))]);
      return;
    }
    case 4: {
      const auto [start, end] = line_at(text, at);
      text.erase(start, end - start);
      return;
    }
    case 5: {
      const auto [start, end] = line_at(text, at);
      const std::string line = text.substr(start, end - start);
      text.insert(line_at(text, below(text.size() + 1)).first, line);
      return;
    }
    case 6: {
      const std::string& other = corpus_[below(corpus_.size())];
      const size_t from = below(other.size() + 1);
      text.replace(at, below(64), other, from, below(256));
      return;
    }
    default:
      text.resize(at);
  }
}

std::string Mutator::next() {
  constexpr size_t most_changes = 4;
  std::string text = corpus_[below(corpus_.size())];
  for (size_t changes = 1 + below(most_changes); changes > 0; --changes) change(text);
  if (text.size() > longest) text.resize(longest);
  return text;
}

}  // namespace afford::fuzz
