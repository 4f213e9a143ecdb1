#include "yaml/document.hpp"

#include <fmt/format.h>

#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "text/escape.hpp"
#include "text/file.hpp"
#include "yaml/events_tree.hpp"
#include "yaml/simple_tree.hpp"

namespace afford::yaml {
namespace {

constexpr size_t largest_file = 1024 * 1024;

}  // namespace

std::string describe(const Node& node) {
  constexpr size_t longest_quoted = 60;
  switch (node.kind) {
    case Node::Kind::empty:
      return "nothing";
    case Node::Kind::sequence:
      return "a list";
    case Node::Kind::mapping:
      return "a mapping";
    case Node::Kind::scalar:
      break;
  }
  if (node.text.size() <= longest_quoted) return fmt::format("'{}'", node.text);
  return fmt::format("'{}...'", node.text.substr(0, boundary(node.text, longest_quoted)));
}

Node parse(std::string_view text, const std::string& file) {
  if (std::optional<Node> root = simple_tree(text)) return std::move(*root);
  return tree_of_events(text, file);
}

SharedNode parse_file(const std::filesystem::path& path) {
  // parse() is pure, and a sweep asks for the same files at every point. What a file gave last
  // counts as long as its text is the same.
  struct Known {
    std::string text;
    std::shared_ptr<const Node> root;
  };
  static std::mutex mutex;
  static auto& known = *new std::map<std::string, Known>;  // nobody waits for its end
  const std::string file = path.string();
  std::string text = read_whole(path, largest_file, "a spec file");
  const std::lock_guard lock(mutex);
  const auto found = known.find(file);
  if (found != known.end() && found->second.text == text) return SharedNode(found->second.root);
  auto root = std::make_shared<const Node>(parse(text, file));
  known.insert_or_assign(file, Known{std::move(text), root});
  return SharedNode(std::move(root));
}

}  // namespace afford::yaml
