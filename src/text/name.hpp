#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace afford {

/// Stands for every entry wherever names are asked for.
inline constexpr std::string_view every_name = "all";

/// Whether a model, chip, engine or workload may be called so.
[[nodiscard]] inline bool is_name(std::string_view text) {
  constexpr std::size_t longest = 64;
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
  };
  if (text == every_name) return false;
  return !text.empty() && text.size() <= longest && std::all_of(text.begin(), text.end(), allowed);
}

/// What a message says of a text that is none.
[[nodiscard]] inline std::string_view name_expected(std::string_view text) {
  return text == every_name ? "expected a name other than that of every entry"
                            : "expected a name of lower-case letters, digits, '.', '-' and '_'";
}

}  // namespace afford
