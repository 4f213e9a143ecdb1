#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string_view>

namespace afford {

/// Stands for every entry wherever names are asked for.
inline constexpr std::string_view every_name = "all";
/// Names that stand for something else: every entry, and the parts of a run that have values.
inline constexpr std::string_view taken_names[] = {every_name, "model", "engine"};

[[nodiscard]] inline bool is_taken_name(std::string_view text) {
  return std::find(std::begin(taken_names), std::end(taken_names), text) != std::end(taken_names);
}

/// Whether every character may stand in a name, and the first one at its beginning.
[[nodiscard]] inline bool has_characters_of_names(std::string_view text) {
  return text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-_") == text.npos;
}
[[nodiscard]] inline bool begins_as_names(std::string_view text) {
  return !text.empty() && std::string_view(".-_").find(text.front()) == text.npos;
}

/// Whether a model, chip, engine or workload may be called so.
[[nodiscard]] inline bool is_name(std::string_view text) {
  constexpr std::size_t longest = 64;
  return has_characters_of_names(text) && begins_as_names(text) && text.size() <= longest &&
         !is_taken_name(text);
}

/// What a message says of a text that is none.
[[nodiscard]] inline std::string_view name_expected(std::string_view text) {
  if (is_taken_name(text))
    return "expected a name other than all, model and engine, which stand for other things";
  if (!text.empty() && has_characters_of_names(text) && !begins_as_names(text))
    return "expected a name that begins with a letter or a digit";
  return "expected a name of lower-case letters, digits, '.', '-' and '_'";
}

}  // namespace afford
