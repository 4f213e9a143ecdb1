#include "report/output_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

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

}  // namespace afford
