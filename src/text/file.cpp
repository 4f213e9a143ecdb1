#include "text/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "error.hpp"

namespace afford {
namespace {

/// A descriptor that is closed at the end of its scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

[[noreturn]] void cannot_read(const std::string& file) {
  throw InputError({file}, errno == ENOENT
                               ? std::string("no such file")
                               : fmt::format("cannot be read: {}", std::strerror(errno)));
}

/// Up to `most` bytes; the file may shrink or grow meanwhile.
std::string read_up_to(int fd, size_t most, const std::string& file) {
  constexpr size_t piece = size_t{1} << 20;
  std::string text;
  while (text.size() < most) {
    const size_t before = text.size();
    text.resize(before + std::min(piece, most - before));
    const ssize_t got = ::read(fd, text.data() + before, text.size() - before);
    text.resize(before + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno != EINTR) cannot_read(file);
    if (got == 0) break;
  }
  return text;
}

}  // namespace

std::string read_whole(const std::filesystem::path& path, size_t most, std::string_view what) {
  const std::string file = path.string();
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) cannot_read(file);
  if (!S_ISREG(status.st_mode)) throw InputError({file}, "not a regular file");
  // Looked at again once open, without waiting: a FIFO may have taken its place.
  const Descriptor in(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (in.get() < 0) cannot_read(file);
  if (::fstat(in.get(), &status) != 0) cannot_read(file);
  if (!S_ISREG(status.st_mode)) throw InputError({file}, "not a regular file");
  std::string text = read_up_to(in.get(), most + 1, file);
  if (text.size() > most) {
    throw InputError({file},
                     fmt::format("larger than {} MiB, the most {} may have", most >> 20, what));
  }
  return text;
}

std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<std::string> names;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error))
    names.push_back(at->path().filename().string());
  if (error)
    throw InputError({folder.string()}, fmt::format("cannot be read: {}", error.message()));
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace afford
