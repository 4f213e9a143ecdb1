// Files and pictures that a verb writes.
#include <doctest/doctest.h>

#include <cstdlib>

#include "support.hpp"

using namespace afford;
using test::run_afford;
using test::TempFolder;

TEST_SUITE("cli") {
  TEST_CASE("output files appear whole or not at all") {
    const TempFolder folder;
    const std::string path = folder.path("out.csv");
    CHECK(run_afford("cost -m step-3 --on h800 -c 8k --format csv -o " + path).code == 0);
    CHECK(test::read_file(path) == run_afford("cost -m step-3 --on h800 -c 8k --format csv").out);
    CHECK(folder.entries() == 1);
    const auto refused = [](const std::string& to, const std::string& why) {
      const test::Outcome outcome = run_afford("cost -m step-3 -o " + to);
      CHECK(outcome.code == 2);
      CHECK(outcome.err == "afford: cannot write " + to + ": " + why + "\n");
    };
    refused(folder.path("no/such/folder.csv"), "there is no folder " + folder.path("no/such"));
    refused("/", "it is a folder");
    refused("/dev/full", "No space left on device");
    CHECK(run_afford("cost -m step-3 --on h80 -o " + folder.path("never.csv")).code == 2);
    CHECK(folder.entries() == 1);
  }

  TEST_CASE("a file beyond the limit of its size is an error, not an end by a signal") {
    const TempFolder folder;
    const std::string path = folder.file("out.csv", "old");
    const test::Outcome outcome =
        run_afford("list models --format json -o " + path, "ulimit -f 1;");
    CHECK(outcome.code == 2);
    CHECK(outcome.err == "afford: cannot write " + path + ": File too large\n");
    CHECK(test::read_file(path) == "old");
    CHECK(folder.entries() == 1);
  }

  TEST_CASE("pictures: SVG and PNG through gnuplot, the script without it") {
    const TempFolder folder;
    CHECK(run_afford("compare -m step-3 --plot " + folder.path("f.gp")).code == 0);
    CHECK(test::read_file(folder.path("f.gp")).starts_with("set terminal svg size "));
    const test::Outcome without =
        run_afford("compare -m step-3 --plot " + folder.path("f.svg"), "PATH=" + folder.path(""));
    CHECK(without.code == 2);
    CHECK(without.err ==
          "afford: --plot needs gnuplot, which is not installed (Debian and Ubuntu: apt install "
          "gnuplot-nox); a file "
          "ending in .gp gets the script alone\n");
    CHECK(folder.entries() == 1);
    if (std::system("command -v gnuplot >/dev/null") != 0) {
      MESSAGE("skipped: gnuplot is not installed");
      return;
    }
    for (const char* verb : {"cost", "compare", "compare --chart context -c 1k..64k*2",
                             "compare --chart split", "roofline"}) {
      CAPTURE(verb);
      CHECK(run_afford(verb + (" --plot " + folder.path("f.svg"))).code == 0);
      CHECK(test::read_file(folder.path("f.svg")).find("</svg>") != std::string::npos);
      CHECK(run_afford(verb + (" --plot " + folder.path("f.png"))).code == 0);
      CHECK(test::read_file(folder.path("f.png")).starts_with("\x89PNG"));
    }
    CHECK(folder.entries() == 3);
  }
}
