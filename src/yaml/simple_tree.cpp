#include "yaml/simple_tree.hpp"

#include <algorithm>
#include <array>

#include "yaml/events_tree.hpp"

namespace afford::yaml {
namespace {

constexpr bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Which characters may stand in a key.
constexpr std::array<bool, 128> in_key = [] {
  std::array<bool, 128> all{};
  for (size_t c = 0; c < all.size(); ++c) {
    const char each = static_cast<char>(c);
    all[c] = is_letter_or_digit(each) || each == '_' || each == '-' || each == '.';
  }
  return all;
}();

bool is_simple(char c) { return (c >= ' ' && c <= '~') || c == '\n'; }

/// Goes through a text of printable ASCII. Every part returns whether it is simple; the cursor then
/// stands behind it, where it is a block on the next line that says anything.
class SimpleReader {
 public:
  explicit SimpleReader(std::string_view text)
      : at_(text.data()), end_(text.data() + text.size()), line_start_(at_) {}

  bool root(Node& node) { return to_content() && indent_ == 0 && block_mapping(node, 0); }

 private:
  [[nodiscard]] bool ends_line() const { return at_ == end_ || *at_ == '\n'; }
  [[nodiscard]] bool comes(char c) const { return at_ != end_ && *at_ == c; }
  [[nodiscard]] int column() const { return static_cast<int>(at_ - line_start_); }
  void skip_spaces() {
    while (comes(' ')) ++at_;
  }

  /// Over spaces and line ends.
  void skip_lines() {
    for (skip_spaces(); comes('\n'); skip_spaces()) {
      ++at_;
      ++line_;
      line_start_ = at_;
    }
  }

  /// From the start of a line to the first one that is neither empty nor a comment; an indentation
  /// of -1 at the end of the text.
  bool to_content() {
    for (;; ++at_, ++line_, line_start_ = at_) {
      skip_spaces();
      if (comes('#')) at_ = std::find(at_, end_, '\n');
      if (ends_line()) {
        if (at_ != end_) continue;
        indent_ = -1;
        return true;
      }
      indent_ = column();
      return true;
    }
  }

  /// Nothing more may stand in a line but a comment. On to what is said next.
  bool finish_line() {
    skip_spaces();
    if (comes('#') && at_[-1] == ' ') at_ = std::find(at_, end_, '\n');
    return ends_line() && to_content();
  }

  bool start(Node& node, Node::Kind kind) {
    node.kind = kind;
    node.line = line_;
    node.column = column() + 1;
    return ++count_ <= most_nodes;
  }
  bool scalar(Node& node, const char* first, const char* last) {
    node.text.assign(first, last);
    return start(node, Node::Kind::scalar);
  }

  /// Where a key ends that stands here with its colon and what must follow one; else null.
  [[nodiscard]] const char* end_of_key() const {
    constexpr std::ptrdiff_t longest = 128;  // libyaml takes 1024
    if (at_ == end_ || !(is_letter_or_digit(*at_) || *at_ == '_')) return nullptr;
    const char* to = at_;
    while (to != end_ && in_key[static_cast<unsigned char>(*to)]) ++to;
    const bool colon = to != end_ && *to == ':' && to - at_ <= longest;
    const bool alone = colon && (to + 1 == end_ || to[1] == ' ' || to[1] == '\n');
    return alone && !is_null({at_, static_cast<size_t>(to - at_)}) ? to : nullptr;
  }

  /// A key with its colon and the spaces behind it.
  bool key(Node& mapping) {
    const char* const to = end_of_key();
    if (to == nullptr || !scalar(mapping.keys.emplace_back(), at_, to)) return false;
    at_ = to + 1;
    skip_spaces();
    return true;
  }

  [[nodiscard]] bool is_dash() const { return end_ - at_ > 1 && at_[0] == '-' && at_[1] == ' '; }

  bool block_mapping(Node& node, int column) {
    if (!start(node, Node::Kind::mapping) || !enter()) return false;
    do {
      if (!key(node) || !block_value(node.items.emplace_back(), column)) return false;
    } while (indent_ == column);
    --depth_;
    return indent_ < column;
  }

  /// What a key in `column` stands for: in its line, or on the lines below.
  bool block_value(Node& node, int column) {
    if (!ends_line() && *at_ != '#') return inline_value(node, false) && finish_line();
    if (!finish_line()) return false;
    if (indent_ == column && is_dash()) return block_sequence(node, column, true);
    if (indent_ <= column) return false;
    return is_dash() ? block_sequence(node, indent_, false) : block_mapping(node, indent_);
  }

  /// `of_key`: it stands in the column of the key that it belongs to, whose mapping may go on
  /// there.
  bool block_sequence(Node& node, int column, bool of_key) {
    if (!start(node, Node::Kind::sequence) || !enter()) return false;
    do {
      ++at_;
      skip_spaces();
      if (!block_item(node.items.emplace_back())) return false;
    } while (indent_ == column && is_dash());
    --depth_;
    return indent_ < column || (indent_ == column && of_key);
  }

  bool block_item(Node& node) {
    if (end_of_key() != nullptr) return block_mapping(node, column());
    return inline_value(node, false) && finish_line();
  }

  bool inline_value(Node& node, bool in_flow) {
    if (ends_line()) return false;
    switch (*at_) {
      case '"':
      case '\'':
        return quoted(node);
      case '{':
        return flow_mapping(node);
      case '[':
        return flow_sequence(node);
      default:
        return in_flow ? flow_scalar(node) : block_scalar(node);
    }
  }

  /// Without escapes, and without a quote inside.
  bool quoted(Node& node) {
    const char quote = *at_;
    const char* to = at_ + 1;
    while (to != end_ && *to != quote && *to != '\n' && *to != '\\') ++to;
    if (to == end_ || *to != quote || !scalar(node, at_ + 1, to)) return false;
    at_ = to + 1;
    return !comes(quote);  // two of them in quotes are one
  }

  /// Whether a plain scalar may begin here.
  [[nodiscard]] bool begins_plain() const {
    const char* const from = at_ + (*at_ == '-' && at_ + 1 != end_ ? 1 : 0);
    return is_letter_or_digit(*from) || *from == '.';
  }
  bool plain(Node& node, const char* to) {
    const char* last = to;
    while (last != at_ && last[-1] == ' ') --last;
    if (is_null({at_, static_cast<size_t>(last - at_)}) || !scalar(node, at_, last)) return false;
    at_ = last;
    return true;
  }

  bool block_scalar(Node& node) {
    if (!begins_plain()) return false;
    const char* to = at_;
    for (; to != end_ && *to != '\n'; ++to) {
      if (*to == '#' && to[-1] == ' ') break;
      if (*to == ':' && (to + 1 == end_ || to[1] == ' ' || to[1] == '\n')) return false;
    }
    return plain(node, to);
  }

  bool flow_scalar(Node& node) {
    constexpr std::string_view ends = ",]}", not_simple = ":?#[{\n";
    if (!begins_plain()) return false;
    const char* to = at_;
    while (to != end_ && ends.find(*to) == std::string_view::npos) {
      if (not_simple.find(*to) != std::string_view::npos) return false;
      ++to;
    }
    return plain(node, to);
  }

  bool flow_mapping(Node& node) {
    return flow(node, Node::Kind::mapping, '}',
                [&] { return key(node) && inline_value(node.items.emplace_back(), true); });
  }
  bool flow_sequence(Node& node) {
    return flow(node, Node::Kind::sequence, ']',
                [&] { return inline_value(node.items.emplace_back(), true); });
  }

  /// What stands in brackets; a line may end behind a comma.
  template <class Entry>
  bool flow(Node& node, Node::Kind kind, char close, Entry entry) {
    if (!start(node, kind) || !enter()) return false;
    ++at_;
    skip_spaces();
    while (!comes(close)) {
      if (!entry()) return false;
      skip_spaces();
      if (comes(close)) break;
      if (!comes(',')) return false;
      ++at_;
      skip_lines();
      if (comes(close)) return false;
    }
    ++at_;
    --depth_;
    return true;
  }

  bool enter() { return ++depth_ <= deepest; }

  const char *at_, *end_, *line_start_;
  int line_ = 1, indent_ = 0;
  size_t depth_ = 0, count_ = 0;
};

}  // namespace

std::optional<Node> simple_tree(std::string_view text) {
  if (!std::all_of(text.begin(), text.end(), is_simple)) return std::nullopt;
  std::optional<Node> root(std::in_place);
  if (!SimpleReader(text).root(*root)) root.reset();
  return root;
}

}  // namespace afford::yaml
