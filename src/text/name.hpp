#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace afford {

/// Whether a model, chip, engine or workload may be called so.
[[nodiscard]] inline bool is_name(std::string_view text) {
  constexpr std::size_t longest = 64;
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
  };
  return !text.empty() && text.size() <= longest && std::all_of(text.begin(), text.end(), allowed);
}
inline constexpr std::string_view name_expected =
    "expected a name of lower-case letters, digits, '.', '-' and '_'";

}  // namespace afford
