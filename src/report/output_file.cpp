#include "report/output_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>
#include <utility>

#include "error.hpp"

namespace afford {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& path, std::string_view content, const fs::path& shown) {
  errno = 0;
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  stream << content;
  stream.close();
  if (stream) return;
  const std::string why = errno == 0 ? "write failed" : std::strerror(errno);
  std::error_code ignored;
  if (path != shown) fs::remove(path, ignored);
  throw UsageError(fmt::format("cannot write {}: {}", shown.string(), why));
}

}  // namespace

fs::path temporary_beside(const fs::path& path) {
  return path.parent_path() / fmt::format(".{}.{}.tmp", path.filename().string(), ::getpid());
}

void put_in_place(const fs::path& temporary, const fs::path& path) {
  std::error_code error;
  fs::rename(temporary, path, error);
  if (!error) return;
  std::error_code ignored;
  fs::remove(temporary, ignored);
  throw UsageError(fmt::format("cannot write {}: {}", path.string(), error.message()));
}

void write_whole(const fs::path& path, std::string_view content) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (fs::is_directory(status))
    throw UsageError(fmt::format("cannot write {}: it is a folder", path.string()));
  if (fs::exists(status) && !fs::is_regular_file(status)) return write(path, content, path);
  const fs::path temporary = temporary_beside(path);
  write(temporary, content, path);
  put_in_place(temporary, path);
}

StreamedFile::StreamedFile(fs::path path) : path_(std::move(path)) {
  if (path_.empty()) {
    stream_ = stdout;
    return;
  }
  std::error_code error;
  const auto status = fs::status(path_, error);
  if (fs::is_directory(status))
    throw UsageError(fmt::format("cannot write {}: it is a folder", path_.string()));
  if (!fs::exists(status) || fs::is_regular_file(status)) temporary_ = temporary_beside(path_);
  stream_ = std::fopen((temporary_.empty() ? path_ : temporary_).c_str(), "wb");
  if (stream_ == nullptr)
    throw UsageError(fmt::format("cannot write {}: {}", path_.string(), std::strerror(errno)));
}

StreamedFile::~StreamedFile() {
  if (stream_ == nullptr || stream_ == stdout) return;
  (void)std::fclose(stream_);
  std::error_code ignored;
  if (!temporary_.empty()) fs::remove(temporary_, ignored);
}

void StreamedFile::write(std::string_view piece) {
  if (std::fwrite(piece.data(), 1, piece.size(), stream_) == piece.size()) return;
  throw UsageError(fmt::format("cannot write {}: {}",
                               path_.empty() ? "standard output" : path_.string(),
                               std::strerror(errno)));
}

void StreamedFile::finish() {
  std::FILE* stream = std::exchange(stream_, nullptr);
  const bool done = stream == stdout ? std::fflush(stream) == 0 : std::fclose(stream) == 0;
  if (!done) {
    std::error_code ignored;
    if (!temporary_.empty()) fs::remove(temporary_, ignored);
    throw UsageError(fmt::format("cannot write {}: {}", path_.string(), std::strerror(errno)));
  }
  if (!temporary_.empty()) put_in_place(temporary_, path_);
}

}  // namespace afford
