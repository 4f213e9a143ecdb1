#include "text/suggest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <iterator>

namespace afford {
namespace {

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

/// Typos come late in a word: of two names as near, the one that starts alike is meant.
size_t common_prefix(std::string_view a, std::string_view b) {
  size_t length = 0;
  while (length < std::min(a.size(), b.size()) && lower(a[length]) == lower(b[length])) ++length;
  return length;
}

bool is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// "llama-3.1-8b" in its words and numbers: llama, 3, 1, 8, b.
std::vector<std::string_view> parts_of(std::string_view name) {
  std::vector<std::string_view> parts;
  for (size_t at = 0; at < name.size();) {
    const auto kind = is_letter(name[at]) ? is_letter : is_digit;
    size_t end = at;
    while (end < name.size() && kind(name[end])) ++end;
    if (end > at) parts.push_back(name.substr(at, end - at));
    at = std::max(end, at + 1);
  }
  return parts;
}

/// Without what joins its parts.
std::string squeezed(std::string_view name) {
  std::string text;
  for (const std::string_view part : parts_of(name)) text += part;
  std::transform(text.begin(), text.end(), text.begin(), lower);
  return text;
}

/// Whether `word` puts starts of the name's parts together, as llama8b and kimi do.
bool abbreviates(std::string_view word, std::string_view name) {
  for (const std::string_view part : parts_of(name)) word.remove_prefix(common_prefix(word, part));
  return word.empty();
}

/// Names that `wrong` shortens, else the longest ones that it makes longer.
std::vector<std::string_view> related(std::string_view wrong,
                                      std::span<const std::string_view> valid) {
  constexpr size_t shortest = 3;  // of fewer letters many a name could be made
  const std::string word = squeezed(wrong);
  std::vector<std::string_view> names;
  if (word.size() < shortest) return names;
  std::copy_if(valid.begin(), valid.end(), std::back_inserter(names),
               [&](std::string_view name) { return abbreviates(word, name); });
  if (!names.empty()) return names;
  size_t longest = shortest;
  for (const std::string_view name : valid) {
    const std::string shorter = squeezed(name);
    if (shorter.size() < longest || word.find(shorter) == std::string::npos) continue;
    // A key in a section is no longer name for that section.
    if (wrong.find('.') != std::string_view::npos && name.find('.') == std::string_view::npos)
      continue;
    if (shorter.size() > longest) names.clear();
    longest = shorter.size();
    names.push_back(name);
  }
  return names;
}

std::string meant(std::span<const std::string_view> names) {
  constexpr size_t most = 6;
  if (names.size() == 1) return fmt::format("; did you mean '{}'?", names.front());
  const auto shown = names.first(std::min(names.size(), most));
  const std::string more =
      names.size() > most ? fmt::format(" or {} more", names.size() - most) : "";
  return fmt::format("; did you mean one of {}{}?", fmt::join(shown, ", "), more);
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
  if (best != nullptr) return meant({best, 1});
  if (wrong.size() <= longest_worth_comparing) {
    const std::vector<std::string_view> names = related(wrong, valid);
    if (!names.empty()) return meant(names);
  }
  if (valid.empty() || valid.size() > most_listed) return "";
  return fmt::format("; expected {}{}", valid.size() > 1 ? "one of " : "", fmt::join(valid, ", "));
}

std::string suggestion(std::string_view wrong, std::span<const std::string> valid) {
  const std::vector<std::string_view> views(valid.begin(), valid.end());
  return suggestion(wrong, views);
}

}  // namespace afford
