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
}
