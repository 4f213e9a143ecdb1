#include <doctest/doctest.h>

#include <stdexcept>

#include "cli/failure.hpp"
#include "error.hpp"

using namespace afford;

TEST_SUITE("unit") {
  TEST_CASE("failures: bad input exits with 2, its text as it stands") {
    const cli::Failure file = cli::failure_of(InputError({"m.yaml", 3, 5}, "no key 'x'"));
    CHECK(file.exit == 2);
    CHECK(file.message == "m.yaml:3:5: no key 'x'");
    const cli::Failure usage = cli::failure_of(UsageError("simulate needs -m MODEL"));
    CHECK(usage.exit == 2);
    CHECK(usage.message == "afford: simulate needs -m MODEL");
  }

  TEST_CASE("failures: what is no bad input has a code of its own and asks for a report") {
    const cli::Failure internal = cli::failure_of(std::logic_error("a table without columns"));
    CHECK(internal.exit == 70);
    CHECK(internal.message ==
          "afford: internal error: a table without columns. This is a fault of afford (exit status "
          "70), not of what you gave it; please report it with the command line and its files");
    CHECK(cli::failure_of(std::bad_alloc()).exit == 70);
  }
}
