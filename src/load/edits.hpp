#pragma once
// Single values of a model, a chip or an engine instead of what its file says (--set): by the path
// of keys that the file itself uses.

#include <string>
#include <string_view>
#include <vector>

#include "spec/engine.hpp"
#include "yaml/document.hpp"

namespace afford {

/// "attention.mfa.head_dim" of `entry`: "model", "engine", or a chip by name.
struct Edit {
  std::string entry, path, value;
  bool may_keep = false;  // of a sweep, whose values may be the file's own

  [[nodiscard]] std::string name() const { return entry + "." + path; }
  /// The flag that asked for it, as ValueError has it.
  [[nodiscard]] const char* flag() const { return may_keep ? "sweep" : "set"; }
};
using Edits = std::vector<Edit>;

/// The edits of one entry.
[[nodiscard]] Edits edits_of(const Edits& edits, std::string_view entry);

/// The text of each value set in the tree of a file. Throws ValueError for a path that leads to no
/// value (with the nearest that does), and for a value that is there already.
void apply_edits(yaml::Node& root, const Edits& edits);

/// The same of an engine, whose file may leave values to the one it builds on.
void apply_edits(Engine& engine, const Edits& edits);

/// Every path of a tree that can be set.
[[nodiscard]] std::vector<std::string> settable_paths(const yaml::Node& root);

}  // namespace afford
