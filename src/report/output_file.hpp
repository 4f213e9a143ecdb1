#pragma once
// Files that appear whole or not at all.

#include <cstdio>
#include <filesystem>
#include <string_view>

namespace afford {

/// A name beside `path` for a file under construction.
[[nodiscard]] std::filesystem::path temporary_beside(const std::filesystem::path& path);

/// Writes beside `path`, then renames. A device such as /dev/null is written straight. Throws
/// UsageError.
void write_whole(const std::filesystem::path& path, std::string_view content);

/// A file written piece by piece beside its place; it appears there with finish(), or not at all.
/// An empty path is standard output. Throws UsageError.
class StreamedFile {
 public:
  explicit StreamedFile(std::filesystem::path path);
  ~StreamedFile();
  StreamedFile(const StreamedFile&) = delete;
  StreamedFile& operator=(const StreamedFile&) = delete;
  void write(std::string_view piece);
  void finish();

 private:
  std::filesystem::path path_, temporary_;
  std::FILE* stream_ = nullptr;
};

/// Moves a finished temporary to its place, or removes it and throws UsageError.
void put_in_place(const std::filesystem::path& temporary, const std::filesystem::path& path);

}  // namespace afford
