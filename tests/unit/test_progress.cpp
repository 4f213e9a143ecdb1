#include <doctest/doctest.h>

#include "cli/progress.hpp"

using namespace afford::cli;

TEST_SUITE("unit") {
  TEST_CASE("progress: how far, how fast and how long, or only what is known") {
    CHECK(progress_line(million_candidates, 2e6, 8e6, 2) ==
          "2.0 of 8.0 million candidates, 1.0 million a second, 6 s left");
    CHECK(progress_line(thousand_requests, 30'000, 40'000, 1.5) ==
          "30.0 of 40.0 thousand requests, 20.0 thousand a second, 0 s left");
    CHECK(progress_line(thousand_requests, 30'000, 0, 1.5) ==
          "30.0 thousand requests, 20.0 thousand a second");
    CHECK(progress_line(million_candidates, 0, 8e6, 0.05) == "0.0 of 8.0 million candidates");
  }

  TEST_CASE(
      "progress: a host hears how much is done of a number that is known, after earlier parts") {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> heard;
    Host host;
    host.say = [](std::string_view) {};
    host.progress = [&](std::uint64_t done, std::uint64_t all) { heard.emplace_back(done, all); };
    Progress progress(host, 0, thousand_requests);
    progress.show(5);
    CHECK(heard.empty());
    progress.show(10, 100);
    progress.finish_part(20);
    progress.show(1);
    CHECK(heard == decltype(heard){{10, 100}, {21, 100}});
  }
}
