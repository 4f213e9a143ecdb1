#pragma once
// A YAML file as a plain tree that knows where each part stands. Only the subset a spec file needs:
// one document of scalars, lists and mappings. Anchors, aliases and tags are refused, which also
// disarms YAML bombs; size, depth and node count are bounded.

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace afford::yaml {

struct Node {
  enum class Kind { empty, scalar, sequence, mapping };
  Kind kind = Kind::empty;
  int line = 1, column = 1;
  std::string text;         // of a scalar
  std::vector<Node> keys;   // of a mapping: scalars, one for each item
  std::vector<Node> items;  // of a sequence or mapping
};

/// How a message names the node: "a list", "a mapping", "nothing", or the scalar in quotes.
[[nodiscard]] std::string describe(const Node& node);

/// The root mapping of `text`. `file` is only for messages. Throws InputError.
[[nodiscard]] Node parse(std::string_view text, const std::string& file);

/// The root of a file that others may have read as well, and are spared the copy of.
class SharedNode {
 public:
  explicit SharedNode(std::shared_ptr<const Node> root) : root_(std::move(root)) {}
  operator const Node&() const { return *root_; }
  /// Whether it is the same one, of the same text.
  [[nodiscard]] bool is(const SharedNode& other) const { return root_ == other.root_; }

 private:
  std::shared_ptr<const Node> root_;
};

/// Reads and parses a regular file of at most 1 MiB. Throws InputError.
[[nodiscard]] SharedNode parse_file(const std::filesystem::path& path);

}  // namespace afford::yaml
