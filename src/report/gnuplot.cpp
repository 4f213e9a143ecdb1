#include "report/gnuplot.hpp"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "error.hpp"
#include "report/output_file.hpp"
#include "text/escape.hpp"

namespace afford {
namespace {

namespace fs = std::filesystem;

/// A file in memory: neither a name nor a disk that could be full.
class MemoryFile {
 public:
  MemoryFile() : fd_(::memfd_create("afford", MFD_CLOEXEC)) {
    if (fd_ < 0) fail();
  }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  [[nodiscard]] int descriptor() const { return fd_; }

  /// Writes the whole content; the next to read starts at its beginning.
  void put(std::string_view content) const {
    for (std::string_view rest = content; !rest.empty();) {
      const ssize_t written = ::write(fd_, rest.data(), rest.size());
      if (written < 0 && errno != EINTR) fail();
      if (written > 0) rest.remove_prefix(static_cast<size_t>(written));
    }
    if (::lseek(fd_, 0, SEEK_SET) != 0) fail();
  }

  [[nodiscard]] std::string content() const {
    constexpr size_t piece = size_t{1} << 16;
    std::string text;
    for (;;) {
      const size_t before = text.size();
      text.resize(before + piece);
      const ssize_t got = ::pread(fd_, text.data() + before, piece, static_cast<off_t>(before));
      if (got < 0 && errno != EINTR) fail();
      text.resize(before + static_cast<size_t>(got > 0 ? got : 0));
      if (got == 0) return text;
    }
  }

 private:
  [[noreturn]] static void fail() {
    throw UsageError(fmt::format("--plot: cannot make a file in memory: {}", std::strerror(errno)));
  }

  int fd_;
};

std::string with_terminal(const Chart& chart, std::string_view extension) {
  // Enhanced text off: model names may hold underscores and carets.
  const char* terminal = extension == ".png" ? "pngcairo" : "svg";
  const char* background = extension == ".png" ? "" : " background rgb 'white'";
  return fmt::format("set terminal {} size {},{} noenhanced font 'Helvetica,14'{}\n{}", terminal,
                     chart.width, chart.height, background, chart.script);
}

std::string first_line(const std::string& text) {
  const size_t start = text.find_first_not_of(" \n\t^");
  if (start == std::string::npos) return "no message";
  return text.substr(start, text.find('\n', start) - start);
}

/// Runs gnuplot with its three streams; its exit status. -d: nobody's ~/.gnuplot is run.
int run_gnuplot(const MemoryFile& script, const MemoryFile& out, const MemoryFile& errors) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, script.descriptor(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.descriptor(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors.descriptor(), STDERR_FILENO);
  char name[] = "gnuplot", defaults[] = "-d";
  char* arguments[] = {name, defaults, nullptr};
  pid_t child = 0;
  const int failed = posix_spawnp(&child, name, &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0)
    throw UsageError(fmt::format("--plot: cannot start gnuplot: {}", std::strerror(failed)));
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR)
      throw UsageError(fmt::format("--plot: cannot wait for gnuplot: {}", std::strerror(errno)));
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/// gnuplot does not look whether its output could be written.
bool is_whole(std::string_view picture, std::string_view extension) {
  using namespace std::string_view_literals;
  const size_t end = picture.find_last_not_of('\n');
  if (extension == ".svg")
    return end != std::string_view::npos && picture.substr(0, end + 1).ends_with("</svg>");
  return picture.ends_with("IEND\xAE\x42\x60\x82"sv);
}

std::string picture_of(const Chart& chart, std::string_view extension) {
  const MemoryFile script, out, errors;
  script.put(with_terminal(chart, extension));
  if (run_gnuplot(script, out, errors) != 0)
    throw UsageError(fmt::format("gnuplot failed: {}", first_line(errors.content())));
  std::string picture = out.content();
  if (!is_whole(picture, extension)) throw UsageError("gnuplot did not finish its picture");
  return picture;
}

/// As execvp() looks for it.
bool is_installed(std::string_view program) {
  const char* set = std::getenv("PATH");
  const std::string_view path = set == nullptr ? "/bin:/usr/bin" : set;
  for (size_t at = 0; at <= path.size();) {
    const size_t colon = std::min(path.find(':', at), path.size());
    const fs::path folder = colon == at ? "." : path.substr(at, colon - at);
    std::error_code error;
    const fs::path file = folder / program;
    if (fs::is_regular_file(file, error) && ::access(file.c_str(), X_OK) == 0) return true;
    at = colon + 1;
  }
  return false;
}

void check_name(const fs::path& file) {
  const std::string extension = file.extension().string();
  if (extension == ".svg" || extension == ".png" || extension == ".gp") return;
  throw ValueError(
      "picture",
      fmt::format(": expected a file ending in .svg, .png or .gp (the gnuplot script), got '{}'",
                  file.string()));
}

}  // namespace

std::string gnuplot_text(std::string_view text) {
  std::string result = "'";
  for (const char c : escaped(text)) result.append(c == '\'' ? 2 : 1, c);
  return result + "'";
}

Chart with_note(Chart chart, std::string_view note) {
  constexpr int tag = 1'000'000;  // beyond those of labelled points
  chart.script.insert(0, fmt::format("set label {} {} at screen 0.01,0.02 left textcolor rgb "
                                     "'#b00020'\n",
                                     tag, gnuplot_text(note)));
  return chart;
}

void check_picture(const fs::path& file) {
  check_name(file);
  if (file.extension() != ".gp" && !is_installed("gnuplot")) {
    throw ValueError("picture",
                     " needs gnuplot, which is not installed (Debian and Ubuntu: apt install "
                     "gnuplot-nox); "
                     "a file ending in .gp gets the script alone");
  }
  const OutputFile probe(file);
}

void draw(const Chart& chart, const fs::path& file) {
  check_picture(file);
  const std::string extension = file.extension().string();
  write_whole(file,
              extension == ".gp" ? with_terminal(chart, ".svg") : picture_of(chart, extension));
}

}  // namespace afford
