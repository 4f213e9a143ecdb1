// The bad-input catalogue: every entry of the files given is run, and its exit status, its message
// and what it left behind are compared. One process: each command runs in a fork of it.
//
//   > m.yaml                    a new file, empty; the next lines say what is in it
//   @ m.yaml models/step-3.yaml a new file, a copy of one of the sources
//   + text                      a line more
//   - text                      a piece more, without a line end
//   ~ hidden: 7168 => hidden: 0 in the last file, the one place replaced
//   $ check m.yaml              the command, in words as the shell has them; NAME=VALUE in front of
//                               it is its environment
//   2 m.yaml:13:11: ...         its exit status and the whole of its standard error, a line each
//
// In all of them \n, \t, \\ and \xNN are bytes. %D is the data folder. An entry ends with its
// message; its files are gone with the next. A command that fails must write nothing to standard
// output and leave no file behind. --record prints the entries with what happened instead.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "text/number.hpp"

namespace {

namespace fs = std::filesystem;

struct Entry {
  std::string where;                         // file:line of the command
  std::vector<std::string> lines;            // as they stand, without the outcome
  std::map<std::string, std::string> files;  // name and content
  std::vector<std::string> words;            // of the command
  int code = -1;
  std::string message;
};

struct Outcome {
  int code = -1;
  std::string out, err;
};

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "catalogue: {}\n", why);
  std::exit(2);
}

std::string read(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) give_up("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char c = text[++i];
    if (c == 'x' && i + 2 < text.size()) {
      out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      out += c == 'n' ? '\n' : c == 't' ? '\t' : c;
    }
  }
  return out;
}

std::string all_replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

/// Words between spaces; quotes of both kinds hold spaces.
std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  bool open = false;
  char quote = 0;
  for (const char c : line) {
    if (quote != 0 ? c == quote : c == '\'' || c == '"') {
      quote = quote != 0 ? 0 : c;
      open = true;
    } else if (c == ' ' && quote == 0) {
      if (open) words.push_back(unescaped(word));
      word.clear();
      open = false;
    } else {
      word += c;
      open = true;
    }
  }
  if (open) words.push_back(unescaped(word));
  return words;
}

void replace_once(std::string& content, const std::string& rule, const std::string& where) {
  const size_t arrow = rule.find(" => ");
  if (arrow == std::string::npos) give_up(where + ": expected A => B");
  const std::string from = unescaped(rule.substr(0, arrow)), to = unescaped(rule.substr(arrow + 4));
  const size_t at = content.find(from);
  if (at == std::string::npos) give_up(where + ": the file has no: " + from);
  content.replace(at, from.size(), to);
}

/// Reads the entries of one file of the catalogue.
class Reader {
 public:
  Reader(fs::path sources, fs::path file) : sources_(std::move(sources)), file_(std::move(file)) {}

  std::vector<Entry> entries() {
    std::ifstream stream(file_);
    if (!stream) give_up("cannot read " + file_.string());
    for (std::string line; std::getline(stream, line);) {
      ++number_;
      if (!line.empty() && line[0] != '#') take(line);
    }
    finish();
    return std::move(entries_);
  }

 private:
  void take(const std::string& line) {
    const std::string where = fmt::format("{}:{}", file_.filename().string(), number_);
    const std::string rest = line.size() > 2 ? line.substr(2) : "";
    if (line[0] >= '0' && line[0] <= '9') return outcome(line);
    if (line[0] == '|') {
      entry_.message += "\n" + unescaped(rest);
      return;
    }
    if (entry_.code >= 0) finish();
    entry_.lines.push_back(line);
    switch (line[0]) {
      case '>':
        last_ = rest;
        entry_.files[last_];
        return;
      case '@':
        last_ = rest.substr(0, rest.find(' '));
        entry_.files[last_] = read(sources_ / rest.substr(rest.find(' ') + 1));
        return;
      case '+':
        entry_.files[last_] += unescaped(rest) + "\n";
        return;
      case '-':
        entry_.files[last_] += unescaped(rest);
        return;
      case '~':
        return replace_once(entry_.files[last_], rest, where);
      case '$':
        entry_.where = where;
        entry_.words = split(rest);
        return;
      default:
        give_up(where + ": what is this line?");
    }
  }
  void outcome(const std::string& line) {
    const size_t space = line.find(' ');
    entry_.code = std::stoi(line.substr(0, space));
    entry_.message = space == std::string::npos ? "" : unescaped(line.substr(space + 1));
  }
  void finish() {
    if (!entry_.where.empty()) entries_.push_back(std::move(entry_));
    entry_ = {};
  }

  fs::path sources_, file_;
  int number_ = 0;
  std::string last_;
  Entry entry_;
  std::vector<Entry> entries_;
};

[[noreturn]] void run_child(const std::vector<std::string>& words, const fs::path& folder,
                            const fs::path& streams) {
  constexpr unsigned patience_s = 60;
  const auto redirect = [](const fs::path& path, int to) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || ::dup2(fd, to) < 0) std::_Exit(99);
    ::close(fd);
  };
  fs::current_path(folder);
  redirect(streams / "out", STDOUT_FILENO);
  redirect(streams / "err", STDERR_FILENO);
  ::alarm(patience_s);
  std::vector<std::string> held;
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    if (held.empty() && equals != std::string::npos)
      ::setenv(word.substr(0, equals).c_str(), word.c_str() + equals + 1, 1);
    else
      held.push_back(word);
  }
  const int code = afford::cli::run(held);
  std::fflush(nullptr);
  std::_Exit(code);
}

Outcome run(const Entry& entry, const fs::path& folder, const fs::path& streams) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) give_up("cannot fork");
  if (child == 0) run_child(entry.words, folder, streams);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
  }
  return {.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          .out = read(streams / "out"),
          .err = read(streams / "err")};
}

/// What stands in the folder besides the files of the entry as they were.
std::string left_behind(const Entry& entry, const fs::path& folder) {
  for (const auto& found : fs::directory_iterator(folder)) {
    const std::string name = found.path().filename().string();
    const auto known = entry.files.find(name);
    if (known == entry.files.end()) return name;
    if (read(found.path()) != known->second) return name + ", which changed";
  }
  return "";
}

/// What is wrong with the outcome, or nothing.
std::string complaint(const Entry& entry, const Outcome& got, const std::string& left) {
  const std::string expected = entry.message.empty() ? "" : entry.message + "\n";
  if (got.code != entry.code) return fmt::format("exit {}, expected {}", got.code, entry.code);
  if (got.err != expected) return fmt::format("said\n  {}  expected\n  {}", got.err, expected);
  if (entry.code == 2 && !got.out.empty()) return "wrote to standard output: " + got.out;
  if (entry.code == 2 && !left.empty()) return "left " + left;
  return "";
}

void record(const Entry& entry, const Outcome& got, const std::string& data) {
  for (const std::string& line : entry.lines) fmt::print("{}\n", line);
  std::string text = all_replaced(all_replaced(got.err, "\\", "\\\\"), data, "%D");
  if (!text.empty() && text.back() == '\n') text.pop_back();
  fmt::print("{}{}{}\n\n", got.code, text.empty() ? "" : " ", all_replaced(text, "\n", "\n| "));
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  const bool recording = !arguments.empty() && arguments.front() == "--record";
  if (recording) arguments.erase(arguments.begin());
  const char* set = std::getenv("AFFORD_DATA");
  if (set == nullptr || arguments.empty()) give_up("needs AFFORD_DATA and files of the catalogue");
  const std::string data = set;
  std::string name = (fs::temp_directory_path() / "afford-catalogue-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) give_up("cannot make a folder");
  const fs::path root = name, folder = root / "here", streams = root / "streams";
  fs::create_directory(streams);
  int count = 0, wrong = 0;
  for (const std::string& file : arguments) {
    for (Entry& entry : Reader(data, file).entries()) {
      fs::create_directory(folder);
      for (const auto& [file_name, content] : entry.files)
        std::ofstream(folder / file_name, std::ios::binary) << content;
      for (std::string& word : entry.words) word = all_replaced(word, "%D", data);
      entry.message = all_replaced(entry.message, "%D", data);
      const Outcome got = run(entry, folder, streams);
      ++count;
      if (recording) record(entry, got, data);
      const std::string why = complaint(entry, got, left_behind(entry, folder));
      fs::remove_all(folder);
      if (recording || why.empty()) continue;
      ++wrong;
      fmt::print(stderr, "{}: {}\n  {}\n", entry.where, fmt::join(entry.words, " "), why);
    }
  }
  fs::remove_all(root);
  if (!recording) fmt::print("{} entries, {} wrong\n", count, wrong);
  return wrong == 0 && count > 0 ? 0 : 1;
}
