#include "text/suggest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

namespace afford {
namespace {

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

/// Typos come late in a word: of two names as near, the one that starts alike is meant.
size_t common_prefix(std::string_view a, std::string_view b) {
  size_t length = 0;
  while (length < std::min(a.size(), b.size()) && lower(a[length]) == lower(b[length])) ++length;
  return length;
}

}  // namespace

int edit_distance(std::string_view a, std::string_view b) {
  // Restricted Damerau-Levenshtein over three rows: a swap of neighbours is the commonest typo.
  std::vector<int> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = static_cast<int>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = static_cast<int>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const int replace = last[j - 1] + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replace});
      const bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                           lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::string suggestion(std::string_view wrong, std::span<const std::string_view> valid) {
  constexpr size_t longest_worth_comparing = 64;
  constexpr size_t most_listed = 17;  // all verbs
  const std::string_view* best = nullptr;
  int best_distance = std::max(1, static_cast<int>(std::min<size_t>(wrong.size(), 9)) / 3) + 1;
  if (wrong.size() <= longest_worth_comparing) {
    for (const auto& name : valid) {
      const int distance = edit_distance(wrong, name);
      const bool nearer = distance < best_distance;
      const bool as_near = best != nullptr && distance == best_distance;
      if (nearer || (as_near && common_prefix(wrong, name) > common_prefix(wrong, *best))) {
        best = &name, best_distance = distance;
      }
    }
  }
  if (best != nullptr) return fmt::format("; did you mean '{}'?", *best);
  if (valid.empty() || valid.size() > most_listed) return "";
  return fmt::format("; expected {}{}", valid.size() > 1 ? "one of " : "", fmt::join(valid, ", "));
}

std::string suggestion(std::string_view wrong, std::span<const std::string> valid) {
  const std::vector<std::string_view> views(valid.begin(), valid.end());
  return suggestion(wrong, views);
}

}  // namespace afford
