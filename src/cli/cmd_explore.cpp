// The page with the engine inside: a copy of the built one, told the command it starts from.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <system_error>

#include "afford.hpp"
#include "cli/commands.hpp"
#include "cli/interrupt.hpp"
#include "cli/words.hpp"
#include "load/folders.hpp"
#include "report/output_file.hpp"
#include "text/escape.hpp"
#include "text/file.hpp"

namespace afford::cli {
namespace {

namespace fs = std::filesystem;

struct ExploreArgs {
  std::string file;
  std::vector<std::string> command;
};

/// With the installed data; in a build tree beside the program.
fs::path built_page() {
  std::error_code none;
  const fs::path program = fs::read_symlink("/proc/self/exe", none);
  for (const fs::path& folder : {data_folder(), program.parent_path()}) {
    if (fs::is_regular_file(folder / "explore.html", none)) return folder / "explore.html";
  }
  throw UsageError(
      "the page is not built: in the source tree, 'sh .ci/setup --page && cmake --workflow "
      "--preset page' installs what that needs (Emscripten, node) and builds it");
}

/// The flags of a verb that name a file to write.
std::vector<std::string> outputs_of(const std::string& verb) {
  std::vector<std::string> flags;
  for (const VerbDescription& each : descriptions()) {
    for (const Parameter& parameter : each.parameters) {
      if (each.name != verb || !parameter.written) continue;
      for (std::string& flag : divided({parameter.names}, verb)) flags.push_back(std::move(flag));
    }
  }
  return flags;
}

/// A page writes no files.
void refuse_outputs(const std::vector<std::string>& command) {
  for (const std::string& flag : outputs_of(command.front())) {
    for (const std::string& word : command) {
      const bool glued = flag.size() == 2 && word.starts_with(flag);  // -oFILE
      if (word == flag || glued || word.starts_with(flag + "="))
        throw UsageError(
            fmt::format("explore: {} of afford {} writes a file, which a page does not", flag,
                        command.front()));
    }
  }
}

/// Asked once, so that what is wrong is said here rather than in the page. A "no" is an answer.
/// False for a host that stopped it; Ctrl-C ends the program, as half a page is none.
bool check(const Host& host, const std::vector<std::string>& command) {
  if (command.front() == "explore")
    throw UsageError("explore: expected another verb to start from");
  refuse_outputs(command);
  Answer answer = ask(command, {.stop = host.stop, .progress = host.progress});
  if (answer.status == Answer::interrupted) return false;
  if (answer.status == Answer::done || answer.status == Answer::no) return true;
  constexpr std::string_view prefix = "afford: ";
  if (answer.said.starts_with(prefix)) answer.said.erase(0, prefix.size());
  while (answer.said.ends_with('\n')) answer.said.pop_back();
  throw UsageError(answer.said);
}

/// The files that the command reads, by their names in it: as words, between commas, or as the chip
/// of a pool ("own.yaml:2x8").
std::map<std::string, std::string> files_of(const std::vector<std::string>& command) {
  constexpr size_t most_bytes = size_t{8} << 20;
  std::map<std::string, std::string> files;
  for (const std::string& word : command) {
    for (size_t at = 0; at <= word.size();) {
      const size_t comma = std::min(word.find(',', at), word.size());
      const std::string part = word.substr(at, comma - at);
      for (const std::string& name : {part, part.substr(0, part.rfind(':'))}) {
        std::error_code none;
        if (name.find_first_of("./") != std::string::npos && fs::is_regular_file(name, none))
          files.try_emplace(name, read_whole(name, most_bytes, "file of a page"));
      }
      at = comma + 1;
    }
  }
  return files;
}

/// What the page reads at its start: a word each <p>, a file each <pre>.
std::string start_of(const std::vector<std::string>& command,
                     const std::map<std::string, std::string>& files) {
  std::string start;
  for (const std::string& word : command) start += fmt::format("<p>{}</p>", html_text(word));
  for (const auto& [name, text] : files)
    start += fmt::format("<pre title=\"{}\">\n{}</pre>", html_text(name), html_text(text));
  return start;
}

void refuse_overwriting(const std::string& output, const std::string& read) {
  std::error_code none;
  if (fs::equivalent(output, read, none))
    throw UsageError(fmt::format("--output would write over {}, which this command reads", output));
}

int run(const Host& host, const ExploreArgs& args) {
  constexpr size_t most_bytes = size_t{64} << 20;
  constexpr std::string_view place = "<!--START-->";
  if (args.file.empty()) throw UsageError("afford explore: expected -o FILE.html");
  OutputFile file(args.file);
  std::string page = read_whole(built_page(), most_bytes, "page");
  if (!args.command.empty()) {
    if (!check(host, args.command)) return say_interrupted(host);
    const size_t at = page.find(place);
    if (at == std::string::npos) throw UsageError(built_page().string() + " is no page of afford");
    const auto files = files_of(args.command);
    for (const auto& [name, text] : files) refuse_overwriting(args.file, name);
    page.replace(at, place.size(), start_of(args.command, files));
  }
  file.write(page);
  file.finish();
  return exit_done;
}

}  // namespace

Verb explore_command(const Program& program) {
  auto args = std::make_shared<ExploreArgs>();
  Verb verb(program, "explore", "One page for a browser, with models, chips and evaluator inside");
  verb.written("-o,--output", args->file, "The page; it appears whole or not at all", "FILE");
  verb.rest("command", args->command,
            "The verb and flags that the page starts from, such as pareto -m step-3 --on h800,h20; "
            "files they name go along");
  verb.run = [args, host = &verb.host()] { return run(*host, *args); };
  return verb;
}

}  // namespace afford::cli
