#pragma once
// The one place for each kind of output where a text from outside becomes harmless.

#include <string>
#include <string_view>

namespace afford {

/// For a terminal and for messages: one line, in which control characters and bytes that are not
/// UTF-8 stand as \n, \t, \x1b, \u009b.
[[nodiscard]] std::string escaped(std::string_view text);

/// escaped(), and cut in its middle where it is longer than a message should be.
[[nodiscard]] std::string message_line(std::string_view text);

/// The largest end of a UTF-8 text's start of at most `at` bytes that cuts no character.
[[nodiscard]] size_t boundary(std::string_view text, size_t at);

/// For HTML and SVG, inside elements and quoted attributes.
[[nodiscard]] std::string html_text(std::string_view text);

/// For one cell or line of Markdown: HTML and the marks that would start markup are text.
[[nodiscard]] std::string markdown_text(std::string_view text);

/// A CSV field as RFC 4180 has it. A text that a spreadsheet would take for a formula gets a ' in
/// front.
[[nodiscard]] std::string csv_text(std::string_view text);
void append_csv_text(std::string& out, std::string_view text);

}  // namespace afford
