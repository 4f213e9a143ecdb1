#pragma once
// The tree of the simplest YAML: what nearly all spec files are, read at once and without events.

#include <optional>
#include <string_view>

#include "yaml/document.hpp"

namespace afford::yaml {

/// The root mapping, to the last line and column what libyaml makes of the text. Nothing where
/// anything stands in it that is not plain ASCII, keys of one word, values of one line without
/// escapes, and mappings and lists in block or flow style; or where anything is amiss: what it is
/// and where, libyaml says.
[[nodiscard]] std::optional<Node> simple_tree(std::string_view text);

}  // namespace afford::yaml
