#include "yaml/events.hpp"

#include <fmt/format.h>

#include <new>
#include <utility>

namespace afford::yaml {
namespace {

/// Whether a bracket stands here that nothing opened.
bool closes_nothing(std::string_view text) {
  return text.starts_with('}') || text.starts_with(']');
}

/// What libyaml complains of most, in words that say what was expected; `text` is from its place
/// on.
std::string_view complaint_of(std::string_view problem, std::string_view text) {
  if (problem == "found character that cannot start any token" && text.starts_with('\t'))
    return "expected spaces in front of a key, got a tab";
  if ((problem == "did not find expected node content" ||
       problem == "did not find expected <document start>" ||
       problem == "did not find expected key") &&
      closes_nothing(text))
    return "expected no '}' or ']' where nothing began";
  if (problem == "did not find expected node content" && text.empty())
    return "expected a bracket to end what one begins";
  constexpr std::pair<std::string_view, std::string_view> words[] = {
      {"did not find expected ',' or '}'", "expected '}' to end what '{' begins"},
      {"did not find expected ',' or ']'", "expected ']' to end what '[' begins"},
      {"did not find expected key", "expected a key in line with those above it"},
      {"did not find expected '-' indicator", "expected an item in line with those above it"},
      {"did not find expected node content", "expected a value"},
      {"did not find expected <document start>", "expected nothing behind what ended above"},
      {"found incompatible YAML document", "expected YAML 1.1 or 1.2"},
      {"found unexpected ':'", "expected a space and a value behind ':'"},
      {"could not find expected ':'", "expected ':' behind a key, in its line"},
      {"mapping values are not allowed in this context",
       "expected no second ': ' in a line; a text with one needs quotes"},
      {"mapping keys are not allowed in this context", "expected no key here"},
      {"block sequence entries are not allowed in this context",
       "expected no '- ' here; a text with one needs quotes"},
      {"found unexpected end of stream", "expected a quote to end what one begins"},
      {"found character that cannot start any token",
       "expected a key or a value; a text that begins so needs quotes"},
      {"found a tab character that violates indentation",
       "expected spaces in front of a key, got a tab"}};
  for (const auto& [theirs, ours] : words) {
    if (problem == theirs) return ours;
  }
  return problem;
}

/// Columns are of characters, of which all bytes but the first are continuations.
bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

/// The mark of a byte of the text; libyaml has none for a character that YAML does not take.
yaml_mark_t mark_of(std::string_view text, size_t offset) {
  yaml_mark_t mark{};
  for (const char byte : text.substr(0, offset)) {
    if (byte == '\n') {
      ++mark.line;
      mark.column = 0;
    } else if (!continues(byte)) {
      ++mark.column;
    }
  }
  return mark;
}

/// The rest of a text from a mark on.
std::string_view from(std::string_view text, const yaml_mark_t& mark) {
  for (size_t line = 0; line < mark.line; ++line) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  for (size_t column = 0; column < mark.column && !text.empty(); ++column) {
    text.remove_prefix(1);
    while (!text.empty() && continues(text.front())) text.remove_prefix(1);
  }
  return text;
}

}  // namespace

Events::Events(std::string_view text, const std::string& file) : text_(text), file_(file) {
  if (yaml_parser_initialize(&parser_) == 0) throw std::bad_alloc();
  yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                               text.size());
}

Events::~Events() {
  yaml_event_delete(&event_);
  yaml_parser_delete(&parser_);
}

const yaml_event_t& Events::next() {
  yaml_event_delete(&event_);
  if (yaml_parser_parse(&parser_, &event_) == 0) fail();
  return event_;
}

void Events::fail() const {
  if (parser_.error == YAML_MEMORY_ERROR) throw std::bad_alloc();
  if (parser_.error == YAML_READER_ERROR) {
    throw InputError(
        place_at(file_, mark_of(text_, parser_.problem_offset)),
        fmt::format("expected text, got the character U+{:04X}", parser_.problem_value));
  }
  const yaml_mark_t& mark = parser_.problem_mark;
  throw InputError(
      place_at(file_, mark),
      fmt::format("not valid YAML: {}", complaint_of(parser_.problem, from(text_, mark))));
}

}  // namespace afford::yaml
