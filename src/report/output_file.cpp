#include "report/output_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <list>
#include <optional>
#include <utility>

#include "error.hpp"
#include "report/temporaries.hpp"
#include "text/number.hpp"

namespace afford {
namespace {

namespace fs = std::filesystem;

constexpr mode_t usual_mode = 0666;  // less the umask

/// N of /dev/fd/N and /proc/self/fd/N: opening those anew would lose the offset and append mode.
std::optional<int> own_descriptor(const fs::path& path) {
  const std::string text = path.lexically_normal().string();
  for (const std::string& folder : {std::string("/dev/fd/"), std::string("/proc/self/fd/"),
                                    fmt::format("/proc/{}/fd/", ::getpid())}) {
    if (!text.starts_with(folder)) continue;
    const auto number = parse_integer(std::string_view(text).substr(folder.size()));
    if (number && *number >= 0 && *number < 1 << 20) return static_cast<int>(*number);
  }
  return std::nullopt;
}

/// What a symlink leads to, whether that exists or not.
fs::path resolved(fs::path path) {
  constexpr int most_links = 40;  // as the kernel follows
  for (int i = 0; i < most_links && !own_descriptor(path); ++i) {
    std::error_code not_a_link;
    const fs::path next = fs::read_symlink(path, not_a_link);
    if (not_a_link) break;
    path = next.is_absolute() ? next : path.parent_path() / next;
  }
  return path;
}

std::string unguessable_name() {
  std::uint64_t random[2] = {};
  if (::getrandom(random, sizeof random, 0) != sizeof random) return "";
  return fmt::format(".afford-{:016x}{:016x}.tmp", random[0], random[1]);
}

/// While names are changed no signal shall end the program.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsHeld() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  sigset_t before_{};
};

std::string own_link(int fd) { return fmt::format("/proc/self/fd/{}", fd); }

}  // namespace

OutputFile::OutputFile(fs::path path) : shown_(std::move(path)) {
  try {
    open();
  } catch (...) {
    discard();
    throw;
  }
}

void OutputFile::open() {
  if (shown_.empty()) return open_descriptor(STDOUT_FILENO);
  const fs::path target = resolved(shown_);
  if (const auto descriptor = own_descriptor(target)) return open_descriptor(*descriptor);
  struct stat status {};
  const bool there = ::stat(target.c_str(), &status) == 0;
  if (!there && errno != ENOENT) fail();
  if (there && S_ISDIR(status.st_mode)) fail("it is a folder");
  if (there && !S_ISREG(status.st_mode)) return open_straight(target);
  open_beside(target);
  if (there) keep(status);
  refuse_full_disk();
}

OutputFile::~OutputFile() { discard(); }

void OutputFile::open_descriptor(int descriptor) {
  fd_ = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  if (fd_ < 0) fail();
}

void OutputFile::open_straight(const fs::path& target) {
  fd_ = ::open(target.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
  if (fd_ < 0) fail();
}

void OutputFile::open_beside(const fs::path& target) {
  name_ = target.filename().string();
  const fs::path folder = target.parent_path().empty() ? "." : target.parent_path();
  if (name_.empty()) fail("it is a folder");
  folder_ = ::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (folder_ < 0 && errno == ENOENT) fail(fmt::format("there is no folder {}", folder.string()));
  if (folder_ < 0) fail();
  const bool there = ::faccessat(folder_, name_.c_str(), F_OK, 0) == 0;
  if (there && ::faccessat(folder_, name_.c_str(), W_OK, AT_EACCESS) != 0) fail();
  open_temporary(usual_mode);
}

void OutputFile::open_temporary(mode_t mode) {
  fd_ = ::openat(folder_, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);
  // It gets its name through /proc, which may not be there.
  if (fd_ >= 0 && ::access(own_link(fd_).c_str(), F_OK) == 0) return;
  if (fd_ >= 0) ::close(fd_);
  temporary_ = unguessable_name();
  if (temporary_.empty()) fail();
  fd_ = ::openat(folder_, temporary_.c_str(), O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC,
                 mode);
  if (fd_ >= 0) return temporaries::add(folder_, temporary_);
  temporary_.clear();
  fail();
}

void OutputFile::keep(const struct ::stat& replaced) const {
  constexpr mode_t permissions = 07777;
  struct stat mine {};
  if (::fstat(fd_, &mine) != 0) fail();
  const bool other = mine.st_uid != replaced.st_uid || mine.st_gid != replaced.st_gid;
  // Giving a file away is for root; anyone else keeps the mode alone.
  if (other && ::fchown(fd_, replaced.st_uid, replaced.st_gid) != 0 && errno != EPERM) fail();
  if (::fchmod(fd_, replaced.st_mode & permissions) != 0) fail();
}

void OutputFile::refuse_full_disk() const {
  struct statvfs disk {};
  if (::fstatvfs(fd_, &disk) == 0 && disk.f_blocks > 0 && disk.f_bfree == 0)
    fail(std::strerror(ENOSPC));
}

void OutputFile::write(std::string_view piece) {
  constexpr size_t enough = size_t{1} << 16;
  if (piece.size() < enough) {
    buffer_ += piece;
    if (buffer_.size() >= enough) flush();
    return;
  }
  flush();
  write_out(piece);
}

void OutputFile::flush() {
  write_out(buffer_);
  buffer_.clear();
}

void OutputFile::write_out(std::string_view rest) const {
  while (!rest.empty()) {
    const ssize_t written = ::write(fd_, rest.data(), rest.size());
    if (written < 0 && errno != EINTR) fail();
    if (written > 0) rest.remove_prefix(static_cast<size_t>(written));
  }
}

void OutputFile::sync() {
  flush();
  if (!name_.empty() && ::fsync(fd_) != 0) fail();
}

void OutputFile::finish() {
  move();
  discard();
}

void OutputFile::move() {
  sync();
  if (!name_.empty()) move_into_place();
  moved_ = !name_.empty();
  if (::close(std::exchange(fd_, -1)) != 0) fail();
}

void OutputFile::keep_old() {
  if (name_.empty() || ::faccessat(folder_, name_.c_str(), F_OK, 0) != 0) return;
  std::string second = unguessable_name();
  if (second.empty() || ::linkat(folder_, name_.c_str(), folder_, second.c_str(), 0) != 0) fail();
  old_ = std::move(second);
}

void OutputFile::put_back() noexcept {
  if (!std::exchange(moved_, false)) return;
  if (old_.empty()) {
    ::unlinkat(folder_, name_.c_str(), 0);
  } else if (::renameat(folder_, old_.c_str(), folder_, name_.c_str()) == 0) {
    old_.clear();
  }
}

void OutputFile::move_into_place() {
  const SignalsHeld held;
  if (temporary_.empty()) {
    const std::string link = own_link(fd_);
    if (::linkat(AT_FDCWD, link.c_str(), folder_, name_.c_str(), AT_SYMLINK_FOLLOW) == 0) return;
    if (errno != EEXIST) fail();
    // A link replaces nothing; a rename does.
    const std::string name = unguessable_name();
    if (name.empty() ||
        ::linkat(AT_FDCWD, link.c_str(), folder_, name.c_str(), AT_SYMLINK_FOLLOW) != 0)
      fail();
    temporary_ = name;
    temporaries::add(folder_, temporary_);
  }
  if (::renameat(folder_, temporary_.c_str(), folder_, name_.c_str()) != 0) fail();
  temporaries::forget(folder_, temporary_);
  temporary_.clear();
}

void OutputFile::discard() noexcept {
  if (!temporary_.empty()) {
    ::unlinkat(folder_, temporary_.c_str(), 0);
    temporaries::forget(folder_, temporary_);
    temporary_.clear();
  }
  if (!old_.empty()) ::unlinkat(folder_, old_.c_str(), 0);
  old_.clear();
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  if (folder_ >= 0) ::close(std::exchange(folder_, -1));
}

void OutputFile::fail() const { fail(std::strerror(errno)); }

void OutputFile::fail(std::string_view why) const {
  throw UsageError(fmt::format("cannot write {}: {}",
                               shown_.empty() ? "standard output" : shown_.string(), why));
}

void write_whole(const fs::path& path, std::string_view content) {
  OutputFile file(path);
  file.write(content);
  file.finish();
}

void write_all(const std::map<fs::path, std::string_view>& files) {
  std::list<OutputFile> open;
  for (const auto& [path, content] : files) {
    open.emplace_back(path).write(content);
    open.back().sync();
  }
  const SignalsHeld held;
  for (OutputFile& file : open) file.keep_old();
  try {
    for (OutputFile& file : open) file.move();
  } catch (...) {
    for (OutputFile& file : open) file.put_back();
    throw;
  }
  open.clear();  // what was kept goes before a signal can come
}

}  // namespace afford
