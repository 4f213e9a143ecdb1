#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "cli/interrupt.hpp"

using namespace afford;

namespace {

/// Runs `body` in a child, whose handlers are not the tests'; how it ended, as waitpid says.
template <class Body>
int ended(Body body) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) _exit(body());
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return status;
}

}  // namespace

// Not among the unit tests: the thread sanitizer leaves the children of a process with worker
// threads alone, and their handlers with them.
TEST_SUITE("signals") {
  TEST_CASE("interrupts: repeats of a signal count as one") {
    const int status = ended([] {
      const std::atomic<bool>& stop = cli::watch_interrupts(std::chrono::hours(1));
      if (stop) return 1;
      std::raise(SIGINT);
      if (!stop) return 2;
      for (const int number : {SIGINT, SIGTERM, SIGINT}) std::raise(number);
      return stop ? 0 : 3;
    });
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
  }

  TEST_CASE("interrupts: one that comes later ends the program at once") {
    for (const int second : {SIGINT, SIGTERM}) {
      const int status = ended([&] {
        (void)cli::watch_interrupts(std::chrono::nanoseconds(0));
        std::raise(SIGINT);
        std::raise(second);
        return 0;
      });
      REQUIRE(WIFSIGNALED(status));
      CHECK(WTERMSIG(status) == second);
    }
  }
}
