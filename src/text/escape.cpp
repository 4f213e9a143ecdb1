#include "text/escape.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "text/utf8.hpp"

namespace afford {
namespace {

std::string control_text(Character c) {
  switch (c.code) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return c.bytes == 1 ? fmt::format("\\x{:02x}", static_cast<unsigned>(c.code))
                          : fmt::format("\\u{:04x}", static_cast<unsigned>(c.code));
  }
}

/// Not a formula: a number, or nothing but the sign.
bool is_plain_number(std::string_view text) {
  return text.find_first_not_of("0123456789.eE+-") == std::string_view::npos;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const Character c = first_character(text.substr(at));
    if (c.bytes == 0) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[at]));
    } else if (is_control(c.code)) {
      out += control_text(c);
    } else {
      out += text.substr(at, c.bytes);
    }
    at += std::max<size_t>(1, c.bytes);
  }
  return out;
}

size_t boundary(std::string_view text, size_t at) {
  if (at >= text.size()) return text.size();
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U) --at;
  return at;
}

std::string message_line(std::string_view text) {
  constexpr size_t most = 800, start = 500, end = 200;
  constexpr size_t looked_at = 4 * most;  // an escape makes a byte four at most
  if (text.size() > 2 * looked_at) {
    return message_line(std::string(text.substr(0, looked_at)) +
                        std::string(text.substr(text.size() - looked_at)));
  }
  std::string line = escaped(text);
  if (line.size() <= most) return line;
  return fmt::format("{} ... {}", line.substr(0, boundary(line, start)),
                     line.substr(boundary(line, line.size() - end)));
}

std::string html_text(std::string_view text) {
  std::string out;
  for (const char c : escaped(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string markdown_text(std::string_view text) {
  std::string out;
  for (const char c : escaped(text)) {
    if (std::string_view("\\`[]<>|").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

void append_csv_text(std::string& out, std::string_view text) {
  constexpr std::string_view begins_formula = "=+-@\t\r";
  const bool formula = !text.empty() && begins_formula.find(text.front()) != std::string_view::npos;
  const bool quoted = std::any_of(text.begin(), text.end(), [](char c) {
    return c == ',' || c == '"' || c == '\r' || c == '\n';
  });
  if (quoted) out += '"';
  if (formula && !is_plain_number(text)) out += '\'';
  if (quoted) {
    for (const char c : text) out.append(c == '"' ? 2 : 1, c);
    out += '"';
  } else {
    out += text;
  }
}

std::string csv_text(std::string_view text) {
  std::string out;
  append_csv_text(out, text);
  return out;
}

}  // namespace afford
