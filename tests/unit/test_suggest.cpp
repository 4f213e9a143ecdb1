#include <doctest/doctest.h>

#include <array>

#include "text/suggest.hpp"

using namespace afford;

TEST_SUITE("unit") {
  TEST_CASE("edit distance counts a swap of neighbours once and ignores case") {
    CHECK(edit_distance("bandwidth", "bandwidth") == 0);
    CHECK(edit_distance("bandwith", "bandwidth") == 1);
    CHECK(edit_distance("h080", "h800") == 1);
    CHECK(edit_distance("H800", "h800") == 0);
    CHECK(edit_distance("", "abc") == 3);
  }

  TEST_CASE("the nearest name is suggested, or the few there are") {
    constexpr std::array<std::string_view, 3> names = {"h800", "h20", "a800"};
    CHECK(suggestion("h80", names) == "; did you mean 'h800'?");
    CHECK(suggestion("tpu", names) == "; expected one of h800, h20, a800");
    CHECK(suggestion(std::string(1'000'000, 'x'), names) == "; expected one of h800, h20, a800");
    CHECK(suggestion("x", std::array<std::string_view, 0>{}).empty());
  }

  TEST_CASE("a name that is shortened, or made longer, is known again") {
    constexpr std::array<std::string_view, 7> names = {
        "kimi-k2",      "kimi-k2.5", "llama-3.1-8b", "llama-3.1-70b",
        "gpt-oss-120b", "h100",      "h100-nvl"};
    CHECK(suggestion("kimi", names) == "; did you mean one of kimi-k2, kimi-k2.5?");
    CHECK(suggestion("Kimi_", names) == "; did you mean one of kimi-k2, kimi-k2.5?");
    CHECK(suggestion("llama70b", names) == "; did you mean 'llama-3.1-70b'?");
    CHECK(suggestion("gptoss", names) == "; did you mean 'gpt-oss-120b'?");
    CHECK(suggestion("h100:2x8", names) == "; did you mean 'h100'?");
    CHECK(suggestion("nvidia-h100-nvl-94gb", names) == "; did you mean 'h100-nvl'?");
    CHECK(suggestion("--context-length", std::array<std::string_view, 2>{"--context", "--on"}) ==
          "; did you mean '--context'?");
    CHECK(suggestion("shape.width", std::array<std::string_view, 1>{"shape"}) ==
          "; expected shape");
    // Too few letters, and none of its letters starts a part.
    CHECK(suggestion("k2", names).starts_with("; expected one of"));
    CHECK(suggestion("imi", names).starts_with("; expected one of"));
    CHECK(suggestion("", names).starts_with("; expected one of"));
  }

  TEST_CASE("of many that may be meant some are named") {
    std::vector<std::string> names;
    for (int i = 0; i < 9; ++i) names.push_back("qwen-" + std::to_string(i) + "00b");
    CHECK(suggestion("qwen", names) ==
          "; did you mean one of qwen-000b, qwen-100b, qwen-200b, qwen-300b, qwen-400b, qwen-500b "
          "or 3 more?");
    // Parts are matched once each, whatever a file calls its own.
    names.assign(40, "a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a");
    CHECK(suggestion(std::string(31, 'a') + "b", names).empty());
  }
}
