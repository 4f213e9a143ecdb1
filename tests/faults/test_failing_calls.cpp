// Each system call that writing needs, failing at its first, second ... use.
#include <doctest/doctest.h>

#include <cerrno>
#include <filesystem>

#include "faults.hpp"

using namespace afford::test;

namespace {

struct Call {
  const char* name;
  int error;
};
const Call calls[] = {{"open", EMFILE},    {"openat", EACCES},       {"read", EIO},
                      {"write", ENOSPC},   {"write", EIO},           {"fsync", EIO},
                      {"close", EIO},      {"linkat", EDQUOT},       {"renameat", ENOSPC},
                      {"fchmod", EPERM},   {"memfd_create", EMFILE}, {"posix_spawnp", EAGAIN},
                      {"waitpid", ECHILD}, {"getrandom", ENOSYS},    {"fcntl", EMFILE}};

/// Each way of writing once: the table, the trace, the stream, the script and the picture.
std::vector<Writer> quick_writers() {
  std::vector<Writer> quick;
  for (const char* name : {"cost", "compare, a picture", "compare, a script", "simulate, a trace",
                           "pareto, all", "merge", "import"}) {
    for (const Writer& writer : writers()) {
      if (writer.name == name) quick.push_back(writer);
    }
  }
  return quick;
}

Disturbance failing(const Call& call, int at, const std::string& seen) {
  return {.environment = {{"LD_PRELOAD", AFFORD_FAILING_CALLS},
                          {"ASAN_OPTIONS", "verify_asan_link_order=0"},
                          {"AFFORD_FAIL_CALL", call.name},
                          {"AFFORD_FAIL_AT", std::to_string(at)},
                          {"AFFORD_FAIL_WITH", std::to_string(call.error)},
                          {"AFFORD_FAIL_SEEN", seen}}};
}

void check_outcome(const Writer& writer, const Workplace& place, const Ended& ended,
                   const std::string& whole) {
  const std::string left = place.read(writer.output);
  CAPTURE(writer.name);
  CAPTURE(ended.code);
  CAPTURE(ended.err);
  const std::string left_start = left.substr(0, 200);
  CAPTURE(left_start);
  CHECK((left == old_content || left == whole));
  // A call that may fail without harm is no failure; one that does harm is no success.
  if (ended.code == 0) CHECK(left == whole);
  if (ended.code != 0) CHECK(ended.code == 2);
  CHECK(place.strays(writer.output).empty());
}

}  // namespace

TEST_SUITE("faults") {
  TEST_CASE("a system call that fails is an error, and what stood there stays") {
    // Where a call is made often, its later uses are like its earlier ones.
    constexpr int uses[] = {1, 2, 4};
    const Workplace place;
    const std::string seen =
        std::filesystem::temp_directory_path() / ("afford-seen-" + std::to_string(::getpid()));
    int reached = 0;
    for (const Writer& writer : quick_writers()) {
      place.reset(writer.output);
      REQUIRE(run(writer, place).code == 0);
      const std::string whole = place.read(writer.output);
      for (const Call& call : calls) {
        for (const int at : uses) {
          const std::string call_name = call.name;
          CAPTURE(call_name);
          CAPTURE(at);
          place.reset(writer.output);
          const Ended ended = run(writer, place, failing(call, at, seen));
          if (!std::filesystem::remove(seen)) break;  // the call was not made so often
          ++reached;
          check_outcome(writer, place, ended, whole);
        }
      }
    }
    // Else nothing was preloaded.
    CHECK(reached > 100);
  }

  TEST_CASE("where the file system has no unnamed files, temporaries go with the signal") {
    const Workplace place;
    const Writer slow = writers()[6];
    const Disturbance named{.environment = {{"LD_PRELOAD", AFFORD_FAILING_CALLS},
                                            {"ASAN_OPTIONS", "verify_asan_link_order=0"},
                                            {"AFFORD_NO_UNNAMED_FILES", "1"}}};
    place.reset(slow.output);
    REQUIRE(run(slow, place, named).code == 0);
    const std::string whole = place.read(slow.output);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
      for (const double after : {0.01, 0.05, 0.1, 0.2}) {
        Disturbance disturbed = named;
        disturbed.signal = signal;
        disturbed.after = std::chrono::duration<double>(after);
        place.reset(slow.output);
        (void)run(slow, place, disturbed);
        CHECK(place.strays(slow.output).empty());
      }
    }
  }
}
