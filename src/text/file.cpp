#include "text/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "error.hpp"

namespace afford {
namespace {

[[noreturn]] void cannot_read(const std::string& file) {
  throw InputError({file}, errno == ENOENT
                               ? std::string("no such file")
                               : fmt::format("cannot be read: {}", std::strerror(errno)));
}

}  // namespace

InputFile::InputFile(const std::filesystem::path& path) : name_(path.string()) {
  struct stat status {};
  if (::stat(name_.c_str(), &status) != 0) cannot_read(name_);
  if (!S_ISREG(status.st_mode)) throw InputError({name_}, "not a regular file");
  // Looked at again once open, without waiting: a FIFO may have taken its place.
  descriptor_ = ::open(name_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor_ < 0) cannot_read(name_);
  const bool known = ::fstat(descriptor_, &status) == 0;
  if (known && S_ISREG(status.st_mode)) return;
  const int why = errno;
  ::close(descriptor_);
  errno = why;
  if (!known) cannot_read(name_);
  throw InputError({name_}, "not a regular file");
}

InputFile::~InputFile() { ::close(descriptor_); }

size_t InputFile::append_to(std::string& text, size_t most) {
  const size_t before = text.size();
  text.resize(before + most);
  ssize_t got = -1;
  do {
    got = ::read(descriptor_, text.data() + before, most);
  } while (got < 0 && errno == EINTR);
  text.resize(before + static_cast<size_t>(std::max<ssize_t>(got, 0)));
  if (got < 0) cannot_read(name_);
  return static_cast<size_t>(got);
}

void InputFile::go_to(std::int64_t offset) {
  if (::lseek(descriptor_, offset, SEEK_SET) < 0) cannot_read(name_);
}

std::string read_start(const std::filesystem::path& path, size_t most) {
  constexpr size_t piece = size_t{1} << 14;  // resize() clears what is then read into
  InputFile file(path);
  std::string text;
  while (text.size() < most && file.append_to(text, std::min(piece, most - text.size())) > 0) {
  }
  return text;
}

std::string read_whole(const std::filesystem::path& path, size_t most, std::string_view what) {
  // One byte more than it may have; the file may shrink or grow meanwhile.
  std::string text = read_start(path, most + 1);
  if (text.size() > most) {
    throw InputError({path.string()},
                     fmt::format("larger than {} MiB, the most {} may have", most >> 20, what));
  }
  return text;
}

void refuse_to_write_over(std::string_view flag, const std::filesystem::path& output,
                          const std::filesystem::path& read) {
  std::error_code none;
  if (std::filesystem::is_regular_file(output, none) &&
      std::filesystem::equivalent(output, read, none))
    throw UsageError(
        fmt::format("{} would write over {}, which this command reads", flag, output.string()));
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
