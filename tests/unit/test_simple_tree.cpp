#include <doctest/doctest.h>

#include <random>

#include "error.hpp"
#include "load/folders.hpp"
#include "support.hpp"
#include "text/file.hpp"
#include "yaml/events_tree.hpp"
#include "yaml/simple_tree.hpp"

using namespace afford;
using yaml::Node;

namespace {

/// The tree with the place of each part in one text.
std::string drawn(const Node& node) {
  constexpr const char* kinds[] = {"empty", "scalar", "sequence", "mapping"};
  std::string out = kinds[static_cast<int>(node.kind)];
  out += " " + std::to_string(node.line) + ":" + std::to_string(node.column) + " '" + node.text;
  for (const Node& key : node.keys) out += "' key {" + drawn(key) + "}";
  for (const Node& item : node.items) out += "' item {" + drawn(item) + "}";
  return out;
}

/// What libyaml makes of the text, or has against it.
std::string by_events(const std::string& text) {
  try {
    return drawn(yaml::tree_of_events(text, "x.yaml"));
  } catch (const InputError& error) {
    return error.what();
  }
}

bool simple(const std::string& text) { return yaml::simple_tree(text).has_value(); }

constexpr std::string_view values[] = {"a b", "-1",     "1.5 us",         "\"q: r\"", "'q'", "{}",
                                       "[]",  "[1, b]", "{a: 1, b: [2]}", "x:y",      "''"};
/// What YAML gives a meaning to, in and out of place.
constexpr std::string_view pieces[] = {
    ": ",  ":",    "- ",   "-",    "{",   "}",   "[",  "]", ", ", ",",  "\"",
    "'",   " # x", "#",    " ",    "?",   "? ",  "~",  "|", ">",  "&a", "*a",
    "!t",  "%",    "null", "Null", "---", "...", "<<", "`", "@",  "\\", "=",
    "a: ", "[1,",  "{a: ", "é",    "\t",  "\r",  "\n", "+", ".",  "/",  "b:"};

/// A few lines that may be YAML.
std::string random_text(std::mt19937& random) {
  const auto below = [&](size_t count) { return random() % count; };
  std::string text;
  for (size_t line = 1 + below(5); line > 0; --line) {
    text.append(line == 5 || below(2) == 0 ? 0 : below(5), ' ');
    if (below(4) == 0) text += "- ";
    if (below(8) > 0) text += std::string(1, static_cast<char>('a' + below(3))) + ":";
    if (below(4) > 0) text += " ";
    if (below(3) > 0) text += values[below(std::size(values))];
    if (below(4) == 0)
      text.insert(text.size() - below(std::min<size_t>(text.size() + 1, 6)),
                  pieces[below(std::size(pieces))]);
    if (line > 1 || below(4) > 0) text += '\n';
  }
  return text;
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("simple tree: every shipped file is read without libyaml, and as by it") {
    size_t files = 0;
    for (const char* folder : {"models", "hardware", "engines"}) {
      for (const std::string& name : names_in(data_folder() / folder)) {
        if (!name.ends_with(".yaml")) continue;
        CAPTURE(name);
        const std::string text = test::read_file((data_folder() / folder / name).string());
        const auto tree = yaml::simple_tree(text);
        REQUIRE(tree.has_value());
        CHECK(drawn(*tree) == by_events(text));
        ++files;
      }
    }
    CHECK(files > 80);
  }

  TEST_CASE("simple tree: what is in it, and where") {
    const auto tree = yaml::simple_tree(
        "# of what\n"
        "\n"
        "name: a b  # of two words\n"
        "list:\n"
        "- {key: 1.5 us, other: [-2, \"x, y\"]}\n"
        "- more: 'it: is'\n"
        "  yet: {}\n");
    REQUIRE(tree.has_value());
    CHECK(drawn(*tree) ==
          "mapping 3:1 '' key {scalar 3:1 'name}' key {scalar 4:1 'list}'"
          " item {scalar 3:7 'a b}' item {sequence 5:1 '"
          "' item {mapping 5:3 '' key {scalar 5:4 'key}' key {scalar 5:17 'other}'"
          " item {scalar 5:9 '1.5 us}' item {sequence 5:24 '"
          "' item {scalar 5:25 '-2}' item {scalar 5:29 'x, y}}}"
          "' item {mapping 6:3 '' key {scalar 6:3 'more}' key {scalar 7:3 'yet}'"
          " item {scalar 6:9 'it: is}' item {mapping 7:8 '}}}");
  }

  TEST_CASE("simple tree: what only libyaml knows is left to it") {
    for (const char* text : {"",
                             "a",
                             "- a\n",
                             " a: 1\n",
                             "a:\n",
                             "a: ~\n",
                             "a: null\n",
                             "Null: 1\n",
                             "a: b\n  c\n",
                             "a: |\n  b\n",
                             "a: &x 1\n",
                             "a: *x\n",
                             "a: !t 1\n",
                             "\"a\": 1\n",
                             "a: \"\\n\"\n",
                             "a: 'it''s'\n",
                             "a: [1\n  , 2]\n",
                             "a: [1, # one\n  2]\n",
                             "a: [1, ]\n",
                             "a: {b: }\n",
                             "a: {b: 1:2}\n",
                             "a : 1\n",
                             "a: b: c\n",
                             "a: b:\n",
                             "a: 1\n b: 2\n",
                             "a:\n    b: 1\n  c: 2\n",
                             "a: \"b\" c\n",
                             "a: [1]]\n",
                             "a: [[1]\n",
                             "a: -\n",
                             "a:\n  - - 1\n",
                             "a:\n  -\n",
                             "a:\n  - 1\n  b: 2\n",
                             "a: \xc3\xa9\n",
                             "a:\t1\n",
                             "a: 1\r\n",
                             "---\na: 1\n",
                             "a: 1\n...\n",
                             "a: ? b\n"}) {
      CAPTURE(text);
      CHECK_FALSE(simple(text));
    }
    const std::string deepest = "a: " + std::string(15, '[') + "1" + std::string(15, ']');
    CHECK(simple(deepest));
    CHECK_FALSE(simple("a: [" + deepest.substr(3) + "]"));
    const auto with = [](int values) {
      std::string text = "a: [1";
      for (int i = 1; i < values; ++i) text += ",1";
      return text + "]";
    };
    CHECK(simple(with(19'997)));  // a mapping, a key and a list besides
    CHECK_FALSE(simple(with(19'998)));
  }

  TEST_CASE("simple tree: of any text, what libyaml says or nothing") {
    std::mt19937 random(20261128);  // the same texts on every machine
    size_t read = 0;
    for (int i = 0; i < 40'000; ++i) {
      const std::string text = random_text(random);
      const auto tree = yaml::simple_tree(text);
      if (!tree) continue;
      ++read;
      if (drawn(*tree) == by_events(text)) continue;
      CAPTURE(text);
      CHECK(drawn(*tree) == by_events(text));
    }
    CHECK(read > 1000);
  }
}
