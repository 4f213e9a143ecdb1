#pragma once
// A text file line by line, however long it is.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "text/file.hpp"

namespace afford {

struct Line {
  int number = 1;
  std::string_view text;  // without its end, LF or CR LF; until the next line is read
};

/// Between two lines of a file.
struct LinePosition {
  std::int64_t offset = 0;  // in bytes
  int lines = 0;            // before it
};

/// Holds a piece of the file and the longest line. A byte-order mark is passed over.
class LineReader {
 public:
  /// Throws InputError.
  explicit LineReader(const std::filesystem::path& path) : file_(path) {}

  /// The next line, or nothing at the end. Throws InputError, also for a line of more than 1 MiB.
  [[nodiscard]] std::optional<Line> next();
  [[nodiscard]] const std::string& file() const { return file_.name(); }

  /// Where the next line starts.
  [[nodiscard]] LinePosition position() const;
  /// To a position that a reader of the same file had. Throws InputError.
  void go_to(const LinePosition& position);

 private:
  InputFile file_;
  std::string held_;  // read and, from `at_` on, not yet handed out
  size_t at_ = 0;
  std::int64_t taken_ = 0;  // bytes of the file before `held_`
  int line_ = 0;
};

}  // namespace afford
