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

/// C0, DEL and C1: what moves a terminal's cursor, or worse.
[[nodiscard]] constexpr bool is_control(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0);
}

/// Throws InputError with the place of the first byte that is not UTF-8, or of the first control
/// character other than tab, LF and CR LF. `first_line`: where in the file the text starts.
void require_text(std::string_view text, const std::string& file, int first_line = 1);

/// The first control character of a text that is UTF-8, or nothing; `allowed` ones are passed over.
[[nodiscard]] std::optional<char32_t> first_control(std::string_view text,
                                                    std::string_view allowed = "");

}  // namespace afford
