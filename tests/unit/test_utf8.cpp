#include <doctest/doctest.h>

#include "error.hpp"
#include "text/utf8.hpp"

using namespace afford;

namespace {

std::string refused_text(std::string_view text) {
  try {
    require_text(text, "f");
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("characters of one to four bytes") {
    CHECK(first_character("a").code == U'a');
    CHECK(first_character("\xC3\xA9").code == U'\u00E9');
    CHECK(first_character("\xE2\x82\xAC").code == U'\u20AC');
    CHECK(first_character("\xF0\x9F\x92\xB0").code == U'\U0001F4B0');
    CHECK(first_character("\xF0\x9F\x92\xB0").bytes == 4);
  }

  TEST_CASE("what is not a character: cut, overlong, surrogate, beyond the last, stray") {
    for (const char* text :
         {"\xC3", "\xE2\x82", "\xC0\x80", "\xE0\x80\x80", "\xF0\x80\x80\x80", "\xED\xA0\x80",
          "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\x80", "\xFF"})
      CHECK(first_character(text).bytes == 0);
  }

  TEST_CASE("what turns the direction of a text is a control character") {
    CHECK(refused_text("# \xE2\x80\xAE") ==
          "f:1:3: expected text, got the control character \\u202e");
    for (const char32_t code :
         {U'\u061C', U'\u200E', U'\u200F', U'\u2028', U'\u2029', U'\u202A', U'\u2066', U'\u2069'})
      CHECK(is_control(code));
    for (const char32_t code :
         {U'\u061B', U'\u200D', U'\u2010', U'\u2027', U'\u202F', U'\u2065', U'\u206A', U'\u05D0'})
      CHECK_FALSE(is_control(code));
  }

  TEST_CASE("text may hold tabs and line ends, no other control character") {
    CHECK(refused_text("a\tb\r\nc\n\xC3\xA9") == "no error");
    CHECK(refused_text("a\n\xC3\xA9\x07") ==
          "f:2:3: expected text, got the control character \\x07");
    CHECK(refused_text("a\rb") == "f:1:2: expected text, got the control character \\r");
    CHECK(refused_text("\x7F") == "f:1:1: expected text, got the control character \\x7f");
    CHECK(refused_text("ab\xC3") == "f:1:3: expected UTF-8 text, got the byte \\xc3");
    CHECK_FALSE(first_control("plain \xC3\xA9").has_value());
    CHECK(first_control("a\nb") == U'\n');
    CHECK_FALSE(first_control("a\nb", "\n").has_value());
  }
}
