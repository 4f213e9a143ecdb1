#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "error.hpp"
#include "report/output_file.hpp"
#include "support.hpp"

using namespace afford;
namespace fs = std::filesystem;

namespace {

std::string refused(const std::string& path) {
  try {
    const OutputFile file(path);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "no error";
}

/// What someone without rights is told, whoever runs the tests.
std::string refused_to_nobody(const std::string& path) {
  constexpr uid_t nobody = 65534;
  const test::TempFolder folder;
  const int said = ::open(folder.path("said").c_str(), O_RDWR | O_CREAT, 0600);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    if (::geteuid() == 0 && (::setgid(nobody) != 0 || ::setuid(nobody) != 0)) ::_exit(1);
    const std::string why = refused(path);
    ::_exit(::write(said, why.data(), why.size()) == static_cast<ssize_t>(why.size()) ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  ::close(said);
  CHECK(status == 0);
  return test::read_file(folder.path("said"));
}

mode_t mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("a file appears whole with finish(), or not at all") {
    const test::TempFolder folder;
    const std::string path = folder.path("x.csv");
    {
      OutputFile file(path);
      file.write("half");
      CHECK_FALSE(fs::exists(path));
    }
    CHECK(folder.entries() == 0);
    OutputFile file(path);
    file.write("a");
    file.write(std::string(200'000, 'b'));
    file.finish();
    CHECK(test::read_file(path) == "a" + std::string(200'000, 'b'));
    CHECK(folder.entries() == 1);
  }

  TEST_CASE("the old file stays until the new one is whole; its mode stays too") {
    const test::TempFolder folder;
    const std::string path = folder.file("x.csv", "old");
    REQUIRE(::chmod(path.c_str(), 0600) == 0);
    {
      OutputFile file(path);
      file.write("new");
    }
    CHECK(test::read_file(path) == "old");
    write_whole(path, "new");
    CHECK(test::read_file(path) == "new");
    CHECK(mode_of(path) == 0600);
    CHECK(folder.entries() == 1);
  }

  TEST_CASE("a symlink is followed to its target, also where that is not there yet") {
    const test::TempFolder folder;
    const std::string target = folder.path("target"), link = folder.path("link"),
                      chain = folder.path("chain");
    fs::create_symlink("target", link);
    fs::create_symlink(link, chain);
    write_whole(chain, "one");
    CHECK(test::read_file(target) == "one");
    write_whole(link, "two");
    CHECK(test::read_file(target) == "two");
    CHECK(fs::is_symlink(link));
    CHECK(fs::is_symlink(chain));
  }

  TEST_CASE("a name a stranger could have prepared is not used") {
    const test::TempFolder folder;
    const std::string victim = folder.file("victim", "untouched"), path = folder.path("x.csv");
    fs::create_symlink(victim, folder.path(".x.csv." + std::to_string(::getpid()) + ".tmp"));
    write_whole(path, "new");
    CHECK(test::read_file(victim) == "untouched");
  }

  TEST_CASE("descriptors, devices and pipes are written straight") {
    const test::TempFolder folder;
    const std::string path = folder.file("log", "before\n");
    const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND);
    REQUIRE(fd >= 0);
    const std::string name = "/dev/fd/" + std::to_string(fd), link = folder.path("link");
    write_whole(name, "one\n");
    fs::create_symlink(name, link);
    write_whole(link, "two\n");
    ::close(fd);
    CHECK(test::read_file(path) == "before\none\ntwo\n");
    write_whole("/dev/null", "gone");
    CHECK(fs::is_character_file("/dev/null"));
    CHECK_THROWS_WITH(write_whole("/dev/full", "x"),
                      "cannot write /dev/full: No space left on device");
  }

  TEST_CASE("what cannot be written is refused before anything is") {
    const test::TempFolder folder;
    const std::string there = folder.path("");
    CHECK(refused(there) == "cannot write " + there + ": it is a folder");
    CHECK(refused(folder.path("no/x.csv")) ==
          "cannot write " + folder.path("no/x.csv") + ": there is no folder " + folder.path("no"));
    CHECK(refused("/dev/fd/99999") == "cannot write /dev/fd/99999: Bad file descriptor");
    fs::create_symlink("loop", folder.path("loop"));
    CHECK(refused(folder.path("loop")) ==
          "cannot write " + folder.path("loop") + ": Too many levels of symbolic links");
    CHECK(folder.entries() == 1);
  }

  TEST_CASE("what one has no right to write is refused before anything is") {
    const test::TempFolder folder;
    const std::string denied = ": Permission denied", closed = folder.path("closed"),
                      fresh = closed + "/x.csv", file = folder.file("x.csv", "old");
    fs::create_directory(closed);
    REQUIRE(::chmod(file.c_str(), 0444) == 0);
    REQUIRE(::chmod(folder.path("").c_str(), 0777) == 0);  // it may be replaced, were it asked for
    REQUIRE(::chmod(closed.c_str(), 0555) == 0);
    CHECK(refused_to_nobody(fresh) == "cannot write " + fresh + denied);
    CHECK(refused_to_nobody(file) == "cannot write " + file + denied);
    CHECK(refused_to_nobody("/proc/x.csv") ==
          "cannot write /proc/x.csv: No such file or directory");
    CHECK(test::read_file(file) == "old");
    CHECK(fs::is_empty(closed));
    CHECK(folder.entries() == 2);
  }

  TEST_CASE("several files are written all or not at all") {
    const test::TempFolder folder;
    const std::string first = folder.file("a", "old"), second = folder.path("b/c");
    CHECK_THROWS_AS(write_all({{first, "new"}, {second, "new"}}), UsageError);
    CHECK(test::read_file(first) == "old");
    CHECK_THROWS_AS(write_all({{first, "new"}, {"/dev/full", "new"}}), UsageError);
    CHECK(test::read_file(first) == "old");
    CHECK(folder.entries() == 1);
    write_all({{first, "new"}, {folder.path("b"), "too"}});
    CHECK(test::read_file(first) == "new");
    CHECK(test::read_file(folder.path("b")) == "too");
  }
}
