#pragma once
// A text file line by line, however long it is.

#include <optional>
#include <string>

#include "text/file.hpp"

namespace afford {

struct Line {
  int number = 1;
  std::string text;  // without its end, LF or CR LF
};

/// Holds a piece of the file and the longest line. A byte-order mark is passed over.
class LineReader {
 public:
  /// Throws InputError.
  explicit LineReader(const std::filesystem::path& path) : file_(path) {}

  /// The next line, or nothing at the end. Throws InputError, also for a line of more than 1 MiB.
  [[nodiscard]] std::optional<Line> next();
  [[nodiscard]] const std::string& file() const { return file_.name(); }

 private:
  InputFile file_;
  std::string held_;  // read and, from `at_` on, not yet handed out
  size_t at_ = 0;
  int line_ = 0;
};

}  // namespace afford
