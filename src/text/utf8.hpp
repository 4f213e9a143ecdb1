#pragma once
// What a text may hold: whole UTF-8 characters, and no control character but those that lay text
// out.

#include <optional>
#include <string>
#include <string_view>

namespace afford {

/// The character at the start of a text: its code point and its bytes. `bytes` is 0 where the text
/// does not start with a whole, shortest-form UTF-8 character.
struct Character {
  char32_t code = 0;
  size_t bytes = 0;
};
/// `text` must not be empty.
[[nodiscard]] Character first_character(std::string_view text);

/// Marks that turn the direction of a text, and the line and paragraph separators: a line with one
/// looks like another line than it is.
[[nodiscard]] constexpr bool reorders(char32_t code) {
  return code == 0x061C || code == 0x200E || code == 0x200F || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069);
}

/// C0, DEL and C1, and what reorders: what moves a terminal's cursor, or worse.
[[nodiscard]] constexpr bool is_control(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || reorders(code);
}

/// Throws InputError with the place of the first byte that is not UTF-8, or of the first control
/// character other than tab, LF and CR LF. `first_line`: where in the file the text starts.
void require_text(std::string_view text, const std::string& file, int first_line = 1);

/// The first control character of a text that is UTF-8, or nothing; `allowed` ones are passed over.
[[nodiscard]] std::optional<char32_t> first_control(std::string_view text,
                                                    std::string_view allowed = "");

}  // namespace afford
