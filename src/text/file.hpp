#pragma once
// Reading a whole file, and no more than is sane.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace afford {

/// A regular file, read piece by piece.
class InputFile {
 public:
  /// Throws InputError.
  explicit InputFile(const std::filesystem::path& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  /// Appends the next bytes of the file to `text`, at most `most`, and returns how many: 0 at the
  /// end. Throws InputError.
  size_t append_to(std::string& text, size_t most);
  /// Reads on from so many bytes after the start. Throws InputError.
  void go_to(std::int64_t offset);
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_;
  int descriptor_ = -1;
};

/// The bytes of a regular file of at most `most` bytes; `what` names the kind of file in the
/// complaint. Throws InputError.
[[nodiscard]] std::string read_whole(const std::filesystem::path& path, size_t most,
                                     std::string_view what);

/// The first bytes of a regular file: `most`, or all there are. Throws InputError.
[[nodiscard]] std::string read_start(const std::filesystem::path& path, size_t most);

/// Throws UsageError where writing `output`, as `flag` says, would replace `read`, a file that the
/// same command reads.
void refuse_to_write_over(std::string_view flag, const std::filesystem::path& output,
                          const std::filesystem::path& read);

/// The names of what a folder holds, sorted. Throws InputError.
[[nodiscard]] std::vector<std::string> names_in(const std::filesystem::path& folder);

}  // namespace afford
