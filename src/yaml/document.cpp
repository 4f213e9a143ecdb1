#include "yaml/document.hpp"

#include <fmt/format.h>
#include <yaml.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "error.hpp"
#include "text/escape.hpp"
#include "text/file.hpp"
#include "text/utf8.hpp"
#include "yaml/events.hpp"

namespace afford::yaml {
namespace {

constexpr size_t largest_file = 1024 * 1024;
constexpr size_t deepest = 16;
constexpr size_t most_nodes = 20'000;

/// What a plain scalar says that has no value.
bool is_null(std::string_view text) {
  constexpr std::string_view words[] = {"", "~", "null", "Null", "NULL"};
  return std::find(std::begin(words), std::end(words), text) != std::end(words);
}

/// Builds the tree in place from the parser's events. A node that is open stays where it is: what
/// holds it takes no other before it is closed.
class TreeBuilder {
 public:
  explicit TreeBuilder(const std::string& file) : file_(file) {}

  /// Takes the next event of a document's content.
  void add(const yaml_event_t& event) {
    switch (event.type) {
      case YAML_ALIAS_EVENT:
        throw InputError(place_of(event),
                         "YAML aliases are not supported here; write the value out");
      case YAML_SCALAR_EVENT:
        return add_scalar(event);
      case YAML_SEQUENCE_START_EVENT:
        return open(Node::Kind::sequence, event, event.data.sequence_start.anchor,
                    event.data.sequence_start.tag);
      case YAML_MAPPING_START_EVENT:
        return open(Node::Kind::mapping, event, event.data.mapping_start.anchor,
                    event.data.mapping_start.tag);
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT:
        return close();
      default:
        return;  // where a stream or a document begins and ends
    }
  }
  Node take_root() { return std::move(root_); }

 private:
  [[nodiscard]] Place place_of(const yaml_event_t& event) const {
    return place_at(file_, event.start_mark);
  }
  /// The next place in what is open: of a key, of an item, or the root.
  Node& next() {
    if (open_.empty()) return root_;
    Node& parent = *open_.back();
    const bool key =
        parent.kind == Node::Kind::mapping && parent.keys.size() == parent.items.size();
    return (key ? parent.keys : parent.items).emplace_back();
  }
  Node& make(Node::Kind kind, const yaml_event_t& event) {
    if (++count_ > most_nodes)
      throw InputError(place_of(event), fmt::format("more than {} values in one file", most_nodes));
    Node& node = next();
    node.kind = kind;
    node.line = line_of(event.start_mark);
    node.column = column_of(event.start_mark);
    return node;
  }
  void refuse_properties(const yaml_event_t& event, const yaml_char_t* anchor,
                         const yaml_char_t* tag) const {
    if (tag != nullptr) throw InputError(place_of(event), "YAML tags are not supported here");
    if (anchor == nullptr) return;
    throw InputError(place_of(event), "YAML anchors are not supported here; write the value out");
  }
  void add_scalar(const yaml_event_t& event) {
    const auto& scalar = event.data.scalar;
    refuse_properties(event, scalar.anchor, scalar.tag);
    const std::string_view text(reinterpret_cast<const char*>(scalar.value), scalar.length);
    const bool none = scalar.style == YAML_PLAIN_SCALAR_STYLE && is_null(text);
    Node& node = make(none ? Node::Kind::empty : Node::Kind::scalar, event);
    if (first_control(text, "\t")) {
      throw InputError(place_of(event), fmt::format("expected one line of text, got '{}'", text));
    }
    if (!none) node.text = text;
    finish(node);
  }
  void open(Node::Kind kind, const yaml_event_t& event, const yaml_char_t* anchor,
            const yaml_char_t* tag) {
    refuse_properties(event, anchor, tag);
    if (open_.size() == deepest) {
      throw InputError(place_of(event), fmt::format("nested more than {} levels deep", deepest));
    }
    open_.push_back(&make(kind, event));
  }
  void close() {
    Node& done = *open_.back();
    open_.pop_back();
    finish(done);
  }
  /// What its parent asks of a whole node.
  void finish(Node& node) const {
    if (open_.empty() || open_.back()->kind != Node::Kind::mapping) return;
    const Node& parent = *open_.back();
    const bool is_key = parent.keys.size() > parent.items.size();
    if (is_key && node.kind != Node::Kind::scalar) {
      throw InputError({file_, node.line, node.column},
                       fmt::format("expected a key, got {}", describe(node)));
    }
    // The parser marks a value that is not there at what follows it, lines below perhaps.
    if (!is_key && node.kind == Node::Kind::empty) {
      node.line = parent.keys.back().line;
      node.column = parent.keys.back().column;
    }
  }

  const std::string& file_;
  std::vector<Node*> open_;  // each in the one before it
  Node root_;
  size_t count_ = 0;
};

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
  require_text(text, file);
  Events events(text, file);
  TreeBuilder tree(file);
  yaml_event_type_t type = YAML_NO_EVENT;
  while (type != YAML_DOCUMENT_END_EVENT && type != YAML_STREAM_END_EVENT) {
    const yaml_event_t& event = events.next();
    tree.add(event);
    type = event.type;
  }
  Node root = tree.take_root();
  if (root.kind != Node::Kind::mapping) {
    throw InputError({file, root.line, root.column},
                     fmt::format("expected a mapping of keys, got {}", describe(root)));
  }
  if (type != YAML_STREAM_END_EVENT && events.next().type == YAML_DOCUMENT_START_EVENT) {
    throw InputError(place_at(file, events.next().start_mark),
                     "expected one YAML document, got a second one");
  }
  return root;
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
