#pragma once
// Draws a gnuplot script into a picture file.

#include <filesystem>
#include <string>
#include <string_view>

namespace afford {

/// A chart as gnuplot commands and inline data, without terminal and output, and its size in
/// pixels.
struct Chart {
  std::string script;
  int width = 960, height = 600;
};

/// The same with a line of text in its lower left corner.
[[nodiscard]] Chart with_note(Chart chart, std::string_view note);

/// Writes `file` as its ending says: .svg or .png through gnuplot, .gp the script itself. The file
/// appears whole or not at all. Throws UsageError for another ending, when gnuplot is missing or
/// fails, and when what it drew is not whole.
void draw(const Chart& chart, const std::filesystem::path& file);

/// Throws the UsageError draw() would for the ending of `file`, a missing gnuplot or a place that
/// cannot be written, before any work is done.
void check_picture(const std::filesystem::path& file);

/// A text as a gnuplot string literal of one line. Single quotes: in double ones gnuplot runs what
/// stands in backticks.
[[nodiscard]] std::string gnuplot_text(std::string_view text);

}  // namespace afford
