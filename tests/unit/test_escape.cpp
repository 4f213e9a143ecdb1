#include <doctest/doctest.h>

#include "error.hpp"
#include "text/escape.hpp"

using namespace afford;

TEST_SUITE("unit") {
  TEST_CASE("on a terminal a text is one line that moves nothing") {
    CHECK(escaped("plain \xC3\xA9") == "plain \xC3\xA9");
    CHECK(escaped("\x1b[31mred\n\r\t") == "\\x1b[31mred\\n\\r\\t");
    CHECK(escaped(std::string_view("a\0b", 3)) == "a\\x00b");
    CHECK(escaped("\xC2\x9B"
                  "2J\xE9") == "\\u009b2J\\xe9");
  }

  TEST_CASE("messages are short, whatever they quote") {
    CHECK(message_line("short") == "short");
    const std::string line = message_line("start " + std::string(5'000'000, 'x') + " end");
    CHECK(line.size() < 1000);
    CHECK(line.starts_with("start xxx"));
    CHECK(line.ends_with("xxx end"));
    // No character is cut in two.
    std::string wide;
    for (int i = 0; i < 1000; ++i) wide += "\xE2\x82\xAC";
    CHECK(message_line(wide).find("\\x") == std::string::npos);
    CHECK(boundary("a\xE2\x82\xAC", 3) == 1);
    CHECK(boundary("abc", 9) == 3);
  }

  TEST_CASE("an error is one line even where the file's name is two") {
    CHECK(std::string(InputError({"a\nb", 1, 2}, "got 'c\nd'").what()) == "a\\nb:1:2: got 'c\\nd'");
    CHECK(std::string(UsageError("x\x1b").what()) == "x\\x1b");
  }

  TEST_CASE("markup is text in HTML and Markdown") {
    CHECK(html_text("<script>\"&'") == "&lt;script&gt;&quot;&amp;&#39;");
    CHECK(markdown_text("<b>|`a`[x]\\\n") == "\\<b\\>\\|\\`a\\`\\[x\\]\\\\\\\\n");
  }

  TEST_CASE("CSV quotes separators and disarms formulas, and leaves numbers alone") {
    CHECK(csv_text("plain") == "plain");
    CHECK(csv_text("a,b") == "\"a,b\"");
    CHECK(csv_text("say \"x\"") == "\"say \"\"x\"\"\"");
    CHECK(csv_text("=HYPERLINK(1)") == "'=HYPERLINK(1)");
    CHECK(csv_text("@a,b") == "\"'@a,b\"");
    CHECK(csv_text("-5.5e-3") == "-5.5e-3");
    CHECK(csv_text("-") == "-");
    CHECK(csv_text("-cmd|x") == "'-cmd|x");
  }
}
