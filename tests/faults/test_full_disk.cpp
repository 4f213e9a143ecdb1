// A file system of 64 KiB that is nearly full. Needs the right to mount; skipped in plain sight
// elsewhere.
#include <doctest/doctest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "faults.hpp"
#include "support.hpp"

using namespace afford::test;
namespace fs = std::filesystem;

namespace {

class SmallDisk {
 public:
  explicit SmallDisk(const char* size = "size=64k") {
    mounted_ = ::mount("tmpfs", path().c_str(), "tmpfs", 0, size) == 0;
    why_ = std::strerror(errno);
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path().c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  [[nodiscard]] bool mounted() const { return mounted_; }
  [[nodiscard]] const std::string& why() const { return why_; }
  [[nodiscard]] std::string path() const { return folder_.path(""); }

  /// Fills the disk until `left` bytes are free.
  void fill(size_t left) const {
    struct statvfs disk {};
    REQUIRE(::statvfs(path().c_str(), &disk) == 0);
    const size_t free = disk.f_bavail * disk.f_bsize;
    REQUIRE(free > left);
    std::ofstream(path() + "/filler") << std::string(free - left, 'x');
  }

 private:
  TempFolder folder_;
  bool mounted_ = false;
  std::string why_;
};

}  // namespace

TEST_SUITE("faults") {
  TEST_CASE("on a full disk the old file stays and the exit status says so") {
    const Workplace place;
    for (const size_t left : {size_t{0}, size_t{16} << 10}) {
      const SmallDisk disk;
      if (!disk.mounted()) {
        MESSAGE("skipped: cannot mount a small file system: " << disk.why());
        return;
      }
      for (const char* name : {"t.svg", "t.csv"}) {
        const std::string target = disk.path() + "/" + name;
        fs::remove(disk.path() + "/filler");
        std::ofstream(target, std::ios::trunc) << old_content;
        disk.fill(left);
        // Far more than 16 KiB each: every model on every chip.
        const bool picture = std::string(name) == "t.svg";
        const Writer writer{
            "large",
            {picture ? "compare" : "cost", "--on", "all", picture ? "--plot" : "-o", target},
            ""};
        const Ended ended = run(writer, place);
        CAPTURE(name);
        CAPTURE(left);
        CAPTURE(ended.err);
        CHECK(ended.code == 2);
        CHECK(ended.err == "afford: cannot write " + target + ": No space left on device\n");
        CHECK(read_file(target) == old_content);
        fs::remove(target);
        CHECK(fs::directory_iterator(disk.path())->path().filename() == "filler");
      }
    }
  }

  TEST_CASE("every writer on a disk that is full sooner or later") {
    int full = 0, runs = 0;
    for (const Writer& writer : writers()) {
      for (size_t pages = 0; pages <= (thorough() ? 32 : 1); ++pages) {
        const SmallDisk disk("size=1m");
        if (!disk.mounted()) {
          MESSAGE("skipped: cannot mount a small file system: " << disk.why());
          return;
        }
        const Workplace place(disk.path());
        place.reset(writer.output);
        disk.fill(pages * 4096);
        const Ended ended = run(writer, place);
        const std::string left = place.read(writer.output);
        CAPTURE(writer.name);
        CAPTURE(pages);
        CAPTURE(ended.err);
        CHECK((ended.code == 0 || ended.code == 2));
        CHECK((left == old_content) == (ended.code != 0));
        CHECK(left.size() > 0);
        CHECK(place.strays(writer.output).empty());
        full += ended.code == 2;
        ++runs;
      }
    }
    CHECK(full >= static_cast<int>(writers().size()));
    MESSAGE(runs << " runs on small disks, of which " << full << " ran full");
  }

  TEST_CASE("on a full disk several checkpoints are imported all or not at all") {
    const Workplace place;
    const SmallDisk disk;
    if (!disk.mounted()) {
      MESSAGE("skipped: cannot mount a small file system: " << disk.why());
      return;
    }
    const std::string checkpoints = std::string(AFFORD_SOURCE) + "/tests/import/";
    const Writer writer{"import of several",
                        {"import", checkpoints + "qwen3-8b.json", checkpoints + "step-3.json",
                         "--date", "2025-11", "-o", disk.path()},
                        ""};
    disk.fill(size_t{4} << 10);  // of one model file
    const Ended full = run(writer, place);
    CAPTURE(full.err);
    CHECK(full.code == 2);
    CHECK(full.err.ends_with(": No space left on device\n"));
    CHECK(std::distance(fs::directory_iterator(disk.path()), {}) == 1);
    fs::remove(disk.path() + "/filler");
    CHECK(run(writer, place).code == 0);
    CHECK(std::distance(fs::directory_iterator(disk.path()), {}) == 2);
  }
}
