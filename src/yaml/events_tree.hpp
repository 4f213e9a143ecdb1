#pragma once
// The tree of any YAML text, by libyaml's events; and what bounds every tree.

#include <string>
#include <string_view>

#include "yaml/document.hpp"

namespace afford::yaml {

inline constexpr size_t deepest = 16;         // levels of nesting
inline constexpr size_t most_nodes = 20'000;  // of a file

/// What a plain scalar says that has no value.
[[nodiscard]] bool is_null(std::string_view text);

/// As parse() has it. Throws InputError.
[[nodiscard]] Node tree_of_events(std::string_view text, const std::string& file);

}  // namespace afford::yaml
