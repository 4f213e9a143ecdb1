#include "yaml/document.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <sstream>

#include "error.hpp"
#include "text/escape.hpp"
#include "text/file.hpp"
#include "text/utf8.hpp"

namespace afford::yaml {
namespace {

constexpr size_t largest_file = 1024 * 1024;
constexpr size_t deepest = 16;
constexpr size_t most_nodes = 20'000;

Place place_of(const std::string& file, const YAML::Mark& mark) {
  // yaml-cpp counts from zero and marks "nowhere" with -1.
  return {file, std::max(mark.line, 0) + 1, std::max(mark.column, 0) + 1};
}

/// What yaml-cpp complains of most, in words that say what was expected.
std::string_view complaint_of(std::string_view why) {
  namespace theirs = YAML::ErrorMsg;
  const std::pair<std::string_view, std::string_view> words[] = {
      {theirs::END_OF_MAP_FLOW, "expected '}' to end what '{' begins"},
      {theirs::END_OF_SEQ_FLOW, "expected ']' to end what '[' begins"},
      {theirs::END_OF_MAP, "expected a key in line with those above it"},
      {theirs::END_OF_SEQ, "expected an item in line with those above it"},
      {theirs::MAP_VALUE, "expected no second ': ' in a line; a text with one needs quotes"},
      {theirs::MAP_KEY, "expected no key here"},
      {theirs::FLOW_END, "expected no '}' or ']' where nothing began"},
      {theirs::BLOCK_ENTRY, "expected no '- ' here; a text with one needs quotes"},
      {theirs::EOF_IN_SCALAR, "expected a quote to end what one begins"},
      {theirs::UNKNOWN_TOKEN, "expected a key or a value; a text that begins so needs quotes"},
      {theirs::TAB_IN_INDENTATION, "expected spaces in front of a key, got a tab"}};
  for (const auto& [message, ours] : words) {
    if (why == message) return ours;
  }
  return why;
}

/// Builds the tree bottom-up from the parser's events: open containers wait on a stack.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const std::string& file) : file_(file) {}

  Node take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    add(make(Node::Kind::empty, mark));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw InputError(place_of(file_, mark),
                     "YAML aliases are not supported here; write the value out");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_tag(mark, tag);
    refuse_anchor(mark, anchor);
    Node node = make(Node::Kind::scalar, mark);
    if (first_control(value, "\t")) {
      throw InputError(place_of(file_, mark),
                       fmt::format("expected one line of text, got '{}'", value));
    }
    node.text = value;
    add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::sequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::mapping, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  Node make(Node::Kind kind, const YAML::Mark& mark) {
    const Place place = place_of(file_, mark);
    if (++count_ > most_nodes) {
      throw InputError(place, fmt::format("more than {} values in one file", most_nodes));
    }
    Node node;
    node.kind = kind;
    node.line = place.line;
    node.column = place.column;
    return node;
  }
  void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) const {
    if (anchor == YAML::NullAnchor) return;
    throw InputError(place_of(file_, mark),
                     "YAML anchors are not supported here; write the value out");
  }
  void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (tag.empty() || tag == "?" || tag == "!") return;
    throw InputError(place_of(file_, mark), "YAML tags are not supported here");
  }
  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor) {
    refuse_tag(mark, tag);
    refuse_anchor(mark, anchor);
    if (open_.size() == deepest) {
      throw InputError(place_of(file_, mark),
                       fmt::format("nested more than {} levels deep", deepest));
    }
    open_.push_back(make(kind, mark));
  }
  void close() {
    Node done = std::move(open_.back());
    open_.pop_back();
    add(std::move(done));
  }
  void add(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Node& parent = open_.back();
    const bool is_key =
        parent.kind == Node::Kind::mapping && parent.keys.size() == parent.items.size();
    if (is_key && node.kind != Node::Kind::scalar) {
      throw InputError({file_, node.line, node.column},
                       fmt::format("expected a key, got {}", describe(node)));
    }
    // The parser marks a value that is not there at what follows it, lines below perhaps.
    if (!is_key && node.kind == Node::Kind::empty && parent.kind == Node::Kind::mapping) {
      node.line = parent.keys.back().line;
      node.column = parent.keys.back().column;
    }
    (is_key ? parent.keys : parent.items).push_back(std::move(node));
  }

  const std::string& file_;
  std::vector<Node> open_;
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
  std::istringstream stream{std::string(text)};
  TreeBuilder tree(file);
  try {
    YAML::Parser parser(stream);
    parser.HandleNextDocument(tree);
    Node root = tree.take_root();
    if (root.kind != Node::Kind::mapping) {
      throw InputError({file, root.line, root.column},
                       fmt::format("expected a mapping of keys, got {}", describe(root)));
    }
    TreeBuilder rest(file);
    if (parser.HandleNextDocument(rest)) {
      const Node second = rest.take_root();
      throw InputError({file, second.line, second.column},
                       "expected one YAML document, got a second one");
    }
    return root;
  } catch (const YAML::Exception& error) {
    throw InputError(place_of(file, error.mark),
                     fmt::format("not valid YAML: {}", complaint_of(error.msg)));
  }
}

Node parse_file(const std::filesystem::path& path) {
  // parse() is pure, and yaml-cpp takes a millisecond and more for a file; a sweep asks for the
  // same files at every point. What a file gave last counts as long as its text is the same.
  struct Known {
    std::string text;
    Node root;
  };
  static std::mutex mutex;
  static std::map<std::string, Known> known;
  const std::string file = path.string();
  std::string text = read_whole(path, largest_file, "a spec file");
  const std::lock_guard lock(mutex);
  const auto found = known.find(file);
  if (found != known.end() && found->second.text == text) return found->second.root;
  Node root = parse(text, file);
  return known.insert_or_assign(file, Known{std::move(text), std::move(root)}).first->second.root;
}

}  // namespace afford::yaml
