#include "text/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "error.hpp"
#include "text/escape.hpp"

namespace afford {
namespace {

/// How many bytes a character has by its first one, and the bits that one carries; 0: none starts
/// so.
Character lead(unsigned char byte) {
  if (byte < 0x80) return {byte, 1};
  if (byte >= 0xC2 && byte < 0xE0) return {byte & 0x1FU, 2};
  if (byte >= 0xE0 && byte < 0xF0) return {byte & 0x0FU, 3};
  if (byte >= 0xF0 && byte < 0xF5) return {byte & 0x07U, 4};
  return {};
}

/// `start`: the file, and the line the text starts at.
Place place_at(std::string_view text, size_t at, const Place& start) {
  const std::string_view before = text.substr(0, at);
  const size_t last = before.rfind('\n');
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const size_t column = last == std::string_view::npos ? at : at - last - 1;
  return {start.file, start.line + static_cast<int>(lines), static_cast<int>(column) + 1};
}

/// Nearly every character of nearly every file: not looked at any closer.
constexpr bool is_printable_ascii(char byte) { return byte >= 0x20 && byte < 0x7F; }

/// Lines of it alone, as nearly every file is; all of it is looked at, which a processor does by
/// the dozen.
bool is_printable_ascii(std::string_view text) {
  size_t others = 0;
  for (const char byte : text) others += is_printable_ascii(byte) || byte == '\n' ? 0 : 1;
  return others == 0;
}

bool lays_out(std::string_view rest) {
  return rest.front() == '\n' || rest.front() == '\t' || rest.starts_with("\r\n");
}

}  // namespace

Character first_character(std::string_view text) {
  Character c = lead(static_cast<unsigned char>(text.front()));
  if (c.bytes == 0 || c.bytes > text.size()) return {};
  for (size_t i = 1; i < c.bytes; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0U) != 0x80U) return {};
    c.code = (c.code << 6U) | (byte & 0x3FU);
  }
  constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = c.code >= 0xD800 && c.code < 0xE000;
  if (c.code < least[c.bytes] || c.code > 0x10FFFF || surrogate) return {};
  return c;
}

void require_text(std::string_view text, const std::string& file, int first_line) {
  if (is_printable_ascii(text)) return;
  for (size_t at = 0; at < text.size();) {
    if (is_printable_ascii(text[at])) {
      ++at;
      continue;
    }
    const std::string_view rest = text.substr(at);
    const Character c = first_character(rest);
    if (c.bytes == 0) {
      throw InputError(
          place_at(text, at, {file, first_line}),
          fmt::format("expected UTF-8 text, got the byte {}", escaped(rest.substr(0, 1))));
    }
    if (is_control(c.code) && !lays_out(rest)) {
      throw InputError(place_at(text, at, {file, first_line}),
                       fmt::format("expected text, got the control character {}",
                                   escaped(rest.substr(0, c.bytes))));
    }
    at += c.bytes;
  }
}

std::optional<char32_t> first_control(std::string_view text, std::string_view allowed) {
  for (size_t at = 0; at < text.size();) {
    if (is_printable_ascii(text[at])) {
      ++at;
      continue;
    }
    const Character c = first_character(text.substr(at));
    const bool passes = c.bytes == 1 && allowed.find(text[at]) != std::string_view::npos;
    if (c.bytes != 0 && is_control(c.code) && !passes) return c.code;
    at += std::max<size_t>(1, c.bytes);
  }
  return std::nullopt;
}

}  // namespace afford
