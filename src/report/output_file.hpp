#pragma once
// The one way out of the program: files that appear whole or not at all; devices, pipes and
// standard output written straight.

#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace afford {

/// A result under construction. Made before the work starts, so that a place that cannot be written
/// is found out first. All members throw UsageError with what the system says.
///
/// The path is resolved first: a symlink is followed to its target, /dev/stdout and the like are
/// the descriptor they name. A file is written to a temporary without a name in the target's folder
/// (where the file system has none: with a name that cannot be guessed, made exclusively), synced,
/// and moved over the target by finish(); it keeps the mode and, where allowed, the owner of what
/// it replaces. Without finish() nothing is left.
class OutputFile {
 public:
  /// An empty path is standard output.
  explicit OutputFile(std::filesystem::path path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::string_view piece);
  /// Everything so far is on the disk; only the move is left to do.
  void sync();
  void finish();

  /// What several files that go together need: finish() in two steps, of which the first can be
  /// taken back. keep_old() comes before them, if at all, and holds on to what is there now.
  void keep_old();
  void move();
  void put_back() noexcept;

 private:
  void open();
  void open_descriptor(int descriptor);
  void open_straight(const std::filesystem::path& target);
  void open_beside(const std::filesystem::path& target);
  void open_temporary(mode_t mode);
  void refuse_full_disk() const;
  void keep(const struct ::stat& replaced) const;
  void flush();
  void write_out(std::string_view rest) const;
  void move_into_place();
  void discard() noexcept;
  [[noreturn]] void fail() const;
  [[noreturn]] void fail(std::string_view why) const;

  std::filesystem::path shown_;  // as the user wrote it
  std::string name_;             // of the target in its folder; empty: written straight
  std::string temporary_;        // its name in the folder; empty: it has none
  std::string old_;              // a second name of what keep_old() found; empty: nothing there
  bool moved_ = false;
  int folder_ = -1, fd_ = -1;
  std::string buffer_;
};

/// A file in one piece.
void write_whole(const std::filesystem::path& path, std::string_view content);

/// Several files, all of them or none: none is moved into place before every one is on the disk,
/// and should the system then refuse a move, those made before it are taken back. Signals wait
/// meanwhile.
void write_all(const std::map<std::filesystem::path, std::string_view>& files);

}  // namespace afford
