#include "report/gnuplot.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <system_error>

#include "error.hpp"
#include "report/output_file.hpp"

namespace afford {
namespace {

namespace fs = std::filesystem;
using TempFile = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

TempFile temp_file() {
  TempFile file(std::tmpfile(), std::fclose);
  if (!file)
    throw UsageError(fmt::format("cannot make a temporary file: {}", std::strerror(errno)));
  return file;
}

std::string with_terminal(const Chart& chart, std::string_view extension) {
  // Enhanced text off: model names may hold underscores and carets.
  const char* terminal = extension == ".png" ? "pngcairo" : "svg";
  const char* background = extension == ".png" ? "" : " background rgb 'white'";
  return fmt::format("set terminal {} size {},{} noenhanced font 'Helvetica,14'{}\n{}", terminal,
                     chart.width, chart.height, background, chart.script);
}

std::string first_line(std::FILE* file) {
  std::rewind(file);
  std::array<char, 200> line{};
  while (std::fgets(line.data(), line.size(), file) != nullptr) {
    std::string text(line.data());
    if (const size_t end = text.find_last_not_of(" \n\t^"); end != std::string::npos)
      return text.substr(0, end + 1);
  }
  return "no message";
}

/// Runs gnuplot with the script as its input and `out` as its output; its exit status.
int run_gnuplot(int script, int out, int errors) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, script, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
  char name[] = "gnuplot";
  char* arguments[] = {name, nullptr};
  pid_t child = 0;
  const int failed = posix_spawnp(&child, name, &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return 127;
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace

std::string gnuplot_text(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'') result += '\'';
    result += c == '\n' ? ' ' : c;
  }
  return result + "'";
}

void check_picture_name(const fs::path& file) {
  const std::string extension = file.extension().string();
  if (extension == ".svg" || extension == ".png" || extension == ".gp") return;
  throw UsageError(fmt::format(
      "--plot: expected a file ending in .svg, .png or .gp (the gnuplot script), got '{}'",
      file.string()));
}

void draw(const Chart& chart, const fs::path& file) {
  check_picture_name(file);
  const std::string extension = file.extension().string();
  if (extension == ".gp") return write_whole(file, with_terminal(chart, ".svg"));
  const TempFile script = temp_file(), errors = temp_file();
  const std::string text = with_terminal(chart, extension);
  std::fwrite(text.data(), 1, text.size(), script.get());
  std::rewind(script.get());
  const fs::path temporary = temporary_beside(file);
  const int out = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (out < 0)
    throw UsageError(fmt::format("cannot write {}: {}", file.string(), std::strerror(errno)));
  const int status = run_gnuplot(fileno(script.get()), out, fileno(errors.get()));
  ::close(out);
  if (status == 0) return put_in_place(temporary, file);
  std::error_code ignored;
  fs::remove(temporary, ignored);
  if (status == 127) {
    throw UsageError(
        "--plot needs gnuplot, which is not installed (Debian and Ubuntu: apt install "
        "gnuplot-nox); "
        "a file ending in .gp gets the script alone");
  }
  throw UsageError(fmt::format("gnuplot failed: {}", first_line(errors.get())));
}

}  // namespace afford
