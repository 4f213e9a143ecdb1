#include "import/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <unordered_set>

#include "text/escape.hpp"
#include "text/file.hpp"
#include "text/utf8.hpp"

namespace afford::json {
namespace {

constexpr size_t largest_file = 8 * 1024 * 1024;
constexpr size_t deepest = 16;
constexpr size_t most_values = 500'000;
constexpr size_t longest_quoted = 60;

/// Walks over the text in step with the parser's events, as those carry no position. The parser has
/// accepted each token before its event, so the walk only needs to find where the token starts and
/// ends.
class Cursor {
 public:
  Cursor(std::string_view text, const std::string& file, int first_line)
      : text_(text), file_(file), first_line_(first_line), line_(first_line) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = line_start_ = 3;  // a byte-order mark
  }

  /// The place of the next token, which ends up behind the cursor; `token` gets its text.
  Place next(std::string_view& token) {
    while (at_ < text_.size() && is_between(text_[at_])) newline(text_[at_++]);
    Place place{file_, line_, static_cast<int>(at_ - line_start_) + 1};
    const size_t start = at_;
    if (at_ < text_.size()) at_ = end_of_token();
    token = text_.substr(start, at_ - start);
    return place;
  }

  /// The place of a byte, counted from one, where the parser gave up.
  [[nodiscard]] Place place_of(size_t position) const {
    const std::string_view before =
        text_.substr(0, std::min(position == 0 ? 0 : position - 1, text_.size()));
    const size_t last = before.rfind('\n');
    const auto lines = std::count(before.begin(), before.end(), '\n');
    const size_t column = last == std::string_view::npos ? before.size() : before.size() - last - 1;
    return {file_, first_line_ + static_cast<int>(lines), static_cast<int>(column) + 1};
  }

 private:
  static bool is_between(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',' || c == ':';
  }
  void newline(char c) {
    if (c != '\n') return;
    ++line_;
    line_start_ = at_;
  }
  [[nodiscard]] size_t end_of_token() const {
    constexpr std::string_view brackets = "{}[]", ends = "{}[],: \t\r\n\"";
    if (brackets.find(text_[at_]) != std::string_view::npos) return at_ + 1;
    if (text_[at_] != '"') return std::min(text_.find_first_of(ends, at_), text_.size());
    for (size_t i = at_ + 1; i < text_.size(); ++i) {
      if (text_[i] == '\\') {
        ++i;
      } else if (text_[i] == '"') {
        return i + 1;
      }
    }
    return text_.size();
  }

  std::string_view text_;
  const std::string& file_;
  size_t at_ = 0, line_start_ = 0;
  int first_line_, line_;
};

/// In words of our own: "[json.exception.parse_error.101] parse error at line 1, column 5: syntax
/// error while parsing object key - unexpected end of input; expected string literal".
std::string complaint_of(std::string_view why) {
  using Word = std::pair<std::string_view, std::string_view>;
  constexpr Word expected[] = {{"parsing object key", "a key in quotes"},
                               {"parsing object separator", "a ':' behind the key"},
                               {"parsing object", "',' or '}'"},
                               {"parsing array", "',' or ']'"},
                               {"parsing value", "a value"}};
  constexpr Word got[] = {{"unexpected end of input", "the end"},
                          {"missing closing quote", "a text whose quote is not closed"},
                          {"invalid string", "a text that JSON writes otherwise"},
                          {"invalid number", "a number that JSON writes otherwise"},
                          {"number overflow", "a number beyond every range"},
                          {"invalid literal", "a word that is none"},
                          {"unexpected number literal", "a number"},
                          {"unexpected string literal", "a text"},
                          {"unexpected ',", "','"},
                          {"unexpected ':", "':'"},
                          {"unexpected '[", "'['"},
                          {"unexpected ']", "']'"},
                          {"unexpected '{", "'{'"},
                          {"unexpected '}", "'}'"}};
  const auto find = [&](std::span<const Word> words, std::string_view otherwise) {
    for (const auto& [theirs, ours] : words) {
      if (why.find(theirs) != std::string_view::npos) return ours;
    }
    return otherwise;
  };
  return fmt::format("expected {}, got {}", find(expected, "a value"), find(got, "something else"));
}

/// Builds the tree from nlohmann's events: open containers wait on a stack.
class Builder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  Builder(std::string_view text, const std::string& file, int first_line)
      : cursor_(text, file, first_line) {}

  Value take_root() { return std::move(root_); }

  bool null() override { return scalar(Value::Kind::null); }
  bool boolean(bool) override { return scalar(Value::Kind::boolean); }
  bool number_integer(number_integer_t) override { return scalar(Value::Kind::number); }
  bool number_unsigned(number_unsigned_t) override { return scalar(Value::Kind::number); }
  bool number_float(number_float_t, const string_t&) override {
    return scalar(Value::Kind::number);
  }
  bool binary(binary_t&) override { return false; }
  bool string(string_t& decoded) override { return scalar(Value::Kind::text, &decoded); }
  bool start_object(size_t) override { return open(Value::Kind::object); }
  bool end_object() override { return close(); }
  bool start_array(size_t) override { return open(Value::Kind::list); }
  bool end_array() override { return close(); }

  bool key(string_t& decoded) override {
    std::string_view token;
    const Place place = cursor_.next(token);
    if (first_control(decoded))
      throw InputError(place, fmt::format("expected a key of one line, got '{}'", decoded));
    if (!seen_.back().insert(decoded).second) {
      throw InputError(place, fmt::format("duplicate key '{}'", decoded));
    }
    open_.back().members.push_back({.key = decoded, .place = place, .value = {}});
    return true;
  }

  bool parse_error(size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    throw InputError(cursor_.place_of(position), "not valid JSON: " + complaint_of(error.what()));
  }

 private:
  Value make(Value::Kind kind, std::string_view& token) {
    Value value;
    value.place = cursor_.next(token);
    value.kind = kind;
    if (++count_ > most_values) {
      throw InputError(value.place, fmt::format("more than {} values in one file", most_values));
    }
    return value;
  }
  bool scalar(Value::Kind kind, const std::string* decoded = nullptr) {
    std::string_view token;
    Value value = make(kind, token);
    value.text = decoded != nullptr ? *decoded : std::string(token);
    if (first_control(value.text, "\t\r\n")) {
      throw InputError(value.place, fmt::format("expected text, got the control characters of '{}'",
                                                value.text));
    }
    return add(std::move(value));
  }
  bool open(Value::Kind kind) {
    std::string_view token;
    Value value = make(kind, token);
    if (open_.size() == deepest)
      throw InputError(value.place, fmt::format("nested more than {} levels deep", deepest));
    open_.push_back(std::move(value));
    seen_.emplace_back();
    return true;
  }
  bool close() {
    std::string_view token;
    (void)cursor_.next(token);
    Value done = std::move(open_.back());
    open_.pop_back();
    seen_.pop_back();
    return add(std::move(done));
  }
  bool add(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back().kind == Value::Kind::object) {
      open_.back().members.back().value = std::move(value);
    } else {
      open_.back().items.push_back(std::move(value));
    }
    return true;
  }

  Cursor cursor_;
  Value root_;
  std::vector<Value> open_;
  std::vector<std::unordered_set<std::string>> seen_;  // the keys of each open container
  size_t count_ = 0;
};

/// Python writes Infinity and NaN, which are no JSON: numbers of the same length stand in for them,
/// while the values keep the words, which no integer is.
std::string without_python_numbers(std::string_view text) {
  constexpr std::pair<std::string_view, std::string_view> words[] = {{"Infinity", "10000000"},
                                                                     {"NaN", "1.0"}};
  std::string plain(text);
  bool quoted = false;
  for (size_t at = 0; at < plain.size(); ++at) {
    if (quoted && plain[at] == '\\') {
      ++at;
    } else if (plain[at] == '"') {
      quoted = !quoted;
    } else if (!quoted && (plain[at] == 'I' || plain[at] == 'N')) {
      for (const auto& [word, number] : words) {
        if (text.substr(at, word.size()) == word) plain.replace(at, word.size(), number);
      }
    }
  }
  return plain;
}

}  // namespace

const Value* member(const Value& object, std::string_view key) {
  for (const Member& each : object.members) {
    if (each.key == key) return &each.value;
  }
  return nullptr;
}

std::string describe(const Value& value) {
  switch (value.kind) {
    case Value::Kind::null:
      return "null";
    case Value::Kind::list:
      return "a list";
    case Value::Kind::object:
      return "an object";
    case Value::Kind::text:
      return fmt::format("'{}{}'", value.text.substr(0, boundary(value.text, longest_quoted)),
                         value.text.size() > longest_quoted ? "..." : "");
    case Value::Kind::boolean:
    case Value::Kind::number:
      break;
  }
  return value.text.substr(0, longest_quoted) + (value.text.size() > longest_quoted ? "..." : "");
}

bool same(const Value& a, const Value& b) {
  return a.kind == b.kind && a.text == b.text &&
         std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), same) &&
         std::equal(a.members.begin(), a.members.end(), b.members.begin(), b.members.end(),
                    [](const Member& x, const Member& y) {
                      return x.key == y.key && same(x.value, y.value);
                    });
}

Value parse(std::string_view text, const std::string& file, int first_line) {
  require_text(text, file, first_line);
  Builder builder(text, file, first_line);
  const std::string plain = without_python_numbers(text);
  (void)nlohmann::json::sax_parse(plain.begin(), plain.end(), &builder);
  Value root = builder.take_root();
  if (root.kind != Value::Kind::object) {
    throw InputError(root.place.line > 0 ? root.place : Place{file},
                     fmt::format("expected an object of keys, got {}", describe(root)));
  }
  return root;
}

Value parse_file(const std::filesystem::path& path) {
  return parse(read_whole(path, largest_file, "a config"), path.string());
}

}  // namespace afford::json
