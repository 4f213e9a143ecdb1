// The page with the engine inside: a copy of the built one, told the command it starts from.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "ask.hpp"
#include "cli/commands.hpp"
#include "cli/explore_page.hpp"
#include "cli/interrupt.hpp"
#include "cli/words.hpp"
#include "report/output_file.hpp"
#include "text/file.hpp"

namespace afford::cli {
namespace {

struct ExploreArgs {
  std::string file;
  std::vector<std::string> command;
};

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
    for (const auto& [name, text] : files) refuse_to_write_over("--output", args.file, name);
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
