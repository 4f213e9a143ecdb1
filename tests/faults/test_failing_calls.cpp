// Each system call that writing needs, failing at its first and its last use; with
// AFFORD_FAULTS=all at every use of every writer.
#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <set>

#include "faults.hpp"

using namespace afford::test;

namespace {

namespace fs = std::filesystem;

struct Call {
  const char* name;
  int error;
};
const Call calls[] = {{"open", EMFILE},    {"openat", EACCES},       {"read", EIO},
                      {"write", ENOSPC},   {"write", EIO},           {"fsync", EIO},
                      {"close", EIO},      {"linkat", EDQUOT},       {"renameat", ENOSPC},
                      {"fchmod", EPERM},   {"memfd_create", EMFILE}, {"posix_spawnp", EAGAIN},
                      {"waitpid", ECHILD}, {"getrandom", ENOSYS},    {"fcntl", EMFILE}};

std::vector<Call> all_calls() { return {std::begin(calls), std::end(calls)}; }

/// Those that come when everything is worked out.
std::vector<Call> moving_calls() {
  std::vector<Call> moving;
  for (const Call& call : calls) {
    for (const char* name : {"fsync", "linkat", "renameat"}) {
      if (call.name == std::string(name)) moving.push_back(call);
    }
  }
  return moving;
}

/// Each way of writing once: the table, the stream, the trace and the picture.
std::vector<Writer> quick_writers() {
  std::vector<Writer> quick;
  for (const Writer& writer : writers()) {
    for (const char* name : {"compare, a picture", "simulate, a trace", "pareto, all", "import"}) {
      if (writer.name == name) quick.push_back(writer);
    }
  }
  return quick;
}

/// Where a call is made often, its uses in the middle are like its first ones.
std::set<int> uses_of(int made) {
  constexpr int most = 12;
  if (!thorough()) return made == 0 ? std::set<int>{} : std::set<int>{1, made};
  std::set<int> uses;
  for (int i = 1; i <= std::min(made, most); ++i) uses.insert({i, made - i + 1});
  return uses;
}

Disturbance preloaded(std::map<std::string, std::string> environment) {
  environment.insert({"LD_PRELOAD", AFFORD_FAILING_CALLS});
  environment.insert({"ASAN_OPTIONS", "verify_asan_link_order=0"});
  return {.environment = std::move(environment)};
}

Disturbance failing(const Call& call, int at, const std::string& seen) {
  return preloaded({{"AFFORD_FAIL_CALL", call.name},
                    {"AFFORD_FAIL_AT", std::to_string(at)},
                    {"AFFORD_FAIL_WITH", std::to_string(call.error)},
                    {"AFFORD_FAIL_SEEN", seen}});
}

/// How often an undisturbed run makes each call.
std::map<std::string, int> calls_of(const Writer& writer, const Workplace& place,
                                    const std::string& file) {
  place.reset(writer.output);
  const Ended ended = run(writer, place, preloaded({{"AFFORD_COUNT_CALLS", file}}));
  CAPTURE(writer.name);
  CAPTURE(ended.err);
  REQUIRE(ended.code == 0);
  std::map<std::string, int> made;
  std::ifstream stream(file);
  for (std::string name; stream >> name;) stream >> made[name];
  fs::remove(file);
  // Else nothing was preloaded.
  REQUIRE(made["write"] > 0);
  return made;
}

Disturbance raising(int signal, const Call& call, int at, const std::string& seen) {
  Disturbance disturbance = failing(call, at, seen);
  disturbance.environment.insert({"AFFORD_RAISE", std::to_string(signal)});
  return disturbance;
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
    const Workplace place;
    const std::string seen =
        fs::temp_directory_path() / ("afford-seen-" + std::to_string(::getpid()));
    int reached = 0;
    for (const Writer& writer : thorough() ? writers() : quick_writers()) {
      std::map<std::string, int> made = calls_of(writer, place, seen);
      const std::string whole = place.read(writer.output);
      for (const Call& call : calls) {
        for (const int at : uses_of(made[call.name])) {
          const std::string call_name = call.name;
          CAPTURE(call_name);
          CAPTURE(at);
          place.reset(writer.output);
          const Ended ended = run(writer, place, failing(call, at, seen));
          if (!fs::remove(seen)) continue;  // another run makes a call less
          ++reached;
          check_outcome(writer, place, ended, whole);
        }
      }
    }
    CHECK(reached > 40);
    MESSAGE(reached << " system calls failed in turn");
  }

  TEST_CASE("a signal just before a system call leaves the old file or a whole one") {
    const Workplace place;
    const std::string seen =
        fs::temp_directory_path() / ("afford-seen-" + std::to_string(::getpid()));
    int reached = 0, ended = 0;
    for (const Writer& writer : thorough() ? writers() : quick_writers()) {
      if (writer.words.front() == "pareto") continue;  // keeps a part: test_kills.cpp
      std::map<std::string, int> made = calls_of(writer, place, seen);
      const std::string whole = place.read(writer.output);
      for (const Call& call : thorough() ? all_calls() : moving_calls()) {
        for (const int at : uses_of(made[call.name])) {
          for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGKILL}) {
            const std::string call_name = call.name;
            CAPTURE(call_name);
            CAPTURE(at);
            CAPTURE(signal);
            CAPTURE(writer.name);
            place.reset(writer.output);
            const Ended run_ended = run(writer, place, raising(signal, call, at, seen));
            if (!fs::remove(seen)) continue;  // another run makes a call less
            ++reached;
            ended += run_ended.code != 0;
            const std::string left = place.read(writer.output);
            CHECK((left == old_content || left == whole));
            if (run_ended.code == 0) CHECK(left == whole);
            // Nobody hears SIGKILL: between the link of a new file and its move over the old one it
            // leaves the new one, whole, under its other name.
            const std::vector<std::string> strays = place.strays(writer.output);
            if (signal == SIGKILL && call_name == "renameat") {
              REQUIRE(strays.size() == 1);
              CHECK(place.read(strays.front()) == whole);
            } else {
              CHECK(strays.empty());
            }
          }
        }
      }
    }
    CHECK(reached > 20);
    MESSAGE(reached << " signals, each just before a system call; " << ended << " ended the run");
  }

  TEST_CASE("of several checkpoints all are imported or none, whichever call fails") {
    const Workplace place;
    const std::string seen =
        fs::temp_directory_path() / ("afford-seen-" + std::to_string(::getpid()));
    const std::string checkpoints = std::string(AFFORD_SOURCE) + "/tests/import/";
    const std::vector<std::string> names = {"folder/phi-4.yaml", "folder/qwen3-8b.yaml",
                                            "folder/step-3.yaml"};
    const Writer writer{"import of several",
                        {"import", checkpoints + "qwen3-8b.json", checkpoints + "step-3.json",
                         checkpoints + "phi-4.json", "--date", "2025-11", "-o", "folder"},
                        "folder"};
    const int most = thorough() ? 20 : 4;
    int reached = 0;
    for (const bool there : {false, true}) {
      for (const Call& call : thorough() ? all_calls() : moving_calls()) {
        for (int at = 1; at <= most; ++at) {
          fs::create_directory(place.path() + "/folder");
          for (const std::string& name : names) {
            if (there) std::ofstream(place.path() + "/" + name) << old_content;
          }
          const Ended ended = run(writer, place, failing(call, at, seen));
          const std::string call_name = call.name;
          CAPTURE(call_name);
          CAPTURE(at);
          CAPTURE(there);
          CAPTURE(ended.err);
          size_t old = 0, files = 0;
          for (const std::string& name : names)
            old += place.read(name) == (there ? old_content : "");
          for (const auto& entry : fs::directory_iterator(place.path() + "/folder"))
            files += entry.is_regular_file();
          CHECK((old == 0 || old == names.size()));
          CHECK(files == (there || old == 0 ? names.size() : 0));
          if (ended.code == 0) CHECK(old == 0);
          fs::remove_all(place.path() + "/folder");
          if (!fs::remove(seen)) break;  // it makes no more of them
          ++reached;
        }
      }
    }
    CHECK(reached > 10);
    MESSAGE(reached << " system calls failed in turn");
  }

  TEST_CASE("where the file system has no unnamed files, temporaries go with the signal") {
    const Workplace place;
    const Writer& slow = writer_named("pareto, all");
    const Disturbance named = preloaded({{"AFFORD_NO_UNNAMED_FILES", "1"}});
    place.reset(slow.output);
    const Ended whole = run(slow, place, named);
    REQUIRE(whole.code == 0);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
      for (const double share : {0.3, 0.7}) {
        Disturbance disturbed = named;
        disturbed.signal = signal;
        disturbed.after = share * whole.took;
        place.reset(slow.output);
        (void)run(slow, place, disturbed);
        CHECK(place.strays(slow.output).empty());
      }
    }
  }

  TEST_CASE("a library that cannot be loaded is an error of the verb that needs it alone") {
    const Workplace place, libraries;
    const std::string file = libraries.path() + "/" AFFORD_GLPK_FILE;
    std::ofstream(file) << "not a library";
    const Disturbance broken{.environment = {{"LD_LIBRARY_PATH", libraries.path()}}};
    place.reset(writer_named("plan").output);
    const Ended plan = run(writer_named("plan"), place, broken);
    CHECK(plan.code == 2);
    CHECK(plan.err ==
          "afford: a plan needs GLPK, which cannot be loaded: " + file + ": file too short\n");
    CHECK(place.read(writer_named("plan").output) == old_content);
    place.reset(writer_named("pareto").output);
    CHECK(run(writer_named("pareto"), place, broken).code == 0);
  }
}
