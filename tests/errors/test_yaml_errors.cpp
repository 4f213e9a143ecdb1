// Hostile and broken YAML: the whole message, place included.
#include <doctest/doctest.h>

#include "error.hpp"
#include "support.hpp"
#include "yaml/document.hpp"

using namespace afford;

namespace {

std::string message(const std::string& text) {
  try {
    (void)yaml::parse(text, "x.yaml");
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

std::string file_message(const std::string& path) {
  try {
    (void)yaml::parse_file(path);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_SUITE("errors") {
  TEST_CASE("what is not YAML") {
    CHECK(message("a: [1, 2\nb: 3\n") ==
          "x.yaml:2:2: not valid YAML: expected ']' to end what '[' begins");
    CHECK(message("a: b: c\n") ==
          "x.yaml:1:5: not valid YAML: expected no second ': ' in a line; a "
          "text with one needs quotes");
    CHECK(message("a: 1\n b: 2\n") ==
          "x.yaml:2:3: not valid YAML: expected no second ': ' in a line; a text with one needs "
          "quotes");
    CHECK(message("a: 1\n\tb: 2\n").starts_with("x.yaml:2:1: not valid YAML: "));
    CHECK(message("a: [1]]\n") ==
          "x.yaml:1:7: not valid YAML: expected no '}' or ']' where nothing began");
    CHECK(message("a: 'x\n") ==
          "x.yaml:2:1: not valid YAML: expected a quote to end what one begins");
    CHECK(message("a: @x\n") ==
          "x.yaml:1:4: not valid YAML: expected a key or a value; a text that begins so needs "
          "quotes");
    CHECK(message("a: 1\nb\nc: 2\n") ==
          "x.yaml:3:1: not valid YAML: expected ':' behind a key, in its line");
    CHECK(message("\xef\xbb\xbf"
                  "a: 1\n") == "no error");
    CHECK(message("a: x\xef\xbf\xbe\n") == "x.yaml:1:5: expected text, got the character U+FFFE");
    CHECK(message(std::string("a: 1\nb: \0\n", 10)) ==
          "x.yaml:2:4: expected text, got the control character \\x00");
    CHECK(message("\xff\xfe\xfa") == "x.yaml:1:1: expected UTF-8 text, got the byte \\xff");
    CHECK(message("a: St\xe9p\n") == "x.yaml:1:6: expected UTF-8 text, got the byte \\xe9");
    CHECK(message("a: \xc2\x9b[2J\n") ==
          "x.yaml:1:4: expected text, got the control character \\u009b");
    CHECK(message("a: \"\\e[31mRED\"\n") ==
          "x.yaml:1:4: expected one line of text, got '\\x1b[31mRED'");
    CHECK(message("\"a\\nb\": 1\n") == "x.yaml:1:1: expected one line of text, got 'a\\nb'");
  }

  TEST_CASE("what is not a mapping") {
    CHECK(message("") == "x.yaml:1:1: expected a mapping of keys, got nothing");
    CHECK(message("- 1\n") == "x.yaml:1:1: expected a mapping of keys, got a list");
    CHECK(message("hello\n") == "x.yaml:1:1: expected a mapping of keys, got 'hello'");
    CHECK(message("a: 1\n---\nb: 2\n") ==
          "x.yaml:3:1: expected one YAML document, got a second one");
    CHECK(message("? [a, b]\n: 1\n") == "x.yaml:1:3: expected a key, got a list");
  }

  TEST_CASE("bombs and trickery are refused before they unfold") {
    CHECK(message("a: &x [1]\nb: *x\n") ==
          "x.yaml:1:4: YAML anchors are not supported here; write the value out");
    CHECK(message("a: *x\n").starts_with("x.yaml:1:4: "));
    CHECK(message("a: !!binary aGk=\n") == "x.yaml:1:4: YAML tags are not supported here");
    CHECK(message("a: " + std::string(17, '[') + std::string(17, ']')) ==
          "x.yaml:1:19: nested more than 16 levels deep");
    CHECK(
        message("a: " + std::string(500'000, '[')).ends_with(": nested more than 16 levels deep"));
    std::string many = "a: [";
    for (int i = 0; i < 30'000; ++i) many += "1,";
    CHECK(message(many + "1]").ends_with(": more than 20000 values in one file"));
  }

  TEST_CASE("files that are none") {
    const test::TempFolder folder;
    CHECK(file_message(folder.path("absent.yaml")) ==
          folder.path("absent.yaml") + ": no such file");
    CHECK(file_message("/") == "/: not a regular file");
    CHECK(file_message("/dev/zero") == "/dev/zero: not a regular file");
    const std::string big = folder.file("big.yaml", std::string((1 << 20) + 1, '#'));
    CHECK(file_message(big) == big + ": larger than 1 MiB, the most a spec file may have");
  }
}
