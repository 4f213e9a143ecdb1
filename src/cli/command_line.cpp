// The application and its verbs. Only this file and verb.cpp see CLI11, which takes a compiler
// longer than all of cli/ together.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <span>
#include <sstream>
#include <vector>

#include "cli/choose.hpp"
#include "cli/commands.hpp"
#include "cli/failure.hpp"
#include "cli/streams.hpp"
#include "cli/verb.hpp"
#include "cli/words.hpp"
#include "error.hpp"
#include "text/suggest.hpp"
#include "version.hpp"

namespace afford::cli {
namespace {

/// What the parser left over: a misspelt flag, or a word where none belongs.
void refuse_leftovers(const CLI::App& app, const std::string& where) {
  const std::vector<std::string> rest = app.remaining();
  if (rest.empty()) return;
  const std::string& first = rest.front();
  if (first.starts_with('-')) refuse_option(app, where, first.substr(0, first.find('=')));
  throw UsageError(fmt::format("{} does not expect '{}'", where, first));
}

[[noreturn]] void refuse_verb(const CLI::App& app, std::string_view name) {
  std::vector<std::string> verbs;
  for (const CLI::App* verb : app.get_subcommands({})) verbs.push_back(verb->get_name());
  throw UsageError(fmt::format("no verb '{}'{}", name, suggestion(name, verbs)));
}

struct Command {
  std::string_view name;
  Verb (*add)(const Program&);
};
constexpr Command commands[] = {{"cost", cost_command},
                                {"compare", compare_command},
                                {"roofline", roofline_command},
                                {"simulate", simulate_command},
                                {"prefill", prefill_command},
                                {"fit", fit_command},
                                {"pareto", pareto_command},
                                {"merge", merge_command},
                                {"plan", plan_command},
                                {"replay", replay_command},
                                {"validate", validate_command},
                                {"import", import_command},
                                {"fit-engine", fit_engine_command},
                                {"list", list_command},
                                {"show", show_command},
                                {"check", check_command},
                                {"explore", explore_command}};

constexpr const char* version_flag = "--version";

/// The application with its verbs, which point into it: all of them, or the one that is asked for,
/// as their options take a millisecond to register.
struct CommandLine {
  CLI::App app{"What a decoded token costs, on which hardware, split how.", "afford"};
  std::vector<Verb> verbs;
  explicit CommandLine(const Host& host, std::string_view asked = "");
};

CommandLine::CommandLine(const Host& host, std::string_view asked) {
  app.set_version_flag(version_flag, std::string("afford ") + version);
  app.allow_extras();
  app.require_subcommand(0, 1);
  app.footer("afford VERB --help tells more. Models and hardware: afford list.");
  if (asked == version_flag) return;
  const auto one = std::find_if(std::begin(commands), std::end(commands),
                                [&](const Command& each) { return each.name == asked; });
  const std::span<const Command> wanted =
      one == std::end(commands) ? std::span(commands) : std::span(one, 1);
  for (const Command& command : wanted) verbs.push_back(command.add({app, host}));
}

int parse_and_run(CommandLine& line, const std::vector<std::string>& words, const Host& host) {
  auto& [app, verbs] = line;
  app.parse(std::vector<std::string>(words.rbegin(), words.rend()));  // it takes them from the end
  for (Verb& verb : verbs) {
    if (!verb.app().parsed()) continue;
    refuse_leftovers(app, "afford");
    if (!verb.keep(verb.app().remaining()))
      refuse_leftovers(verb.app(), "afford " + verb.app().get_name());
    return verb.execute();
  }
  const std::vector<std::string> rest = app.remaining();
  if (!rest.empty() && !rest.front().starts_with('-')) refuse_verb(app, rest.front());
  refuse_leftovers(app, "afford");
  print(host, app.help());
  return exit_done;
}

/// What CLI11 has against the command line, in our words.
std::string wording(const CLI::ParseError& error, const std::vector<Verb>& verbs) {
  std::string text = error.what();
  const std::string name = error.get_name();
  const std::string option = text.substr(0, text.find(':'));
  if (name == "ArgumentMismatch" && text.find("At Most") != std::string::npos)
    return option + ": given more than once; expected one value";
  if (name == "ArgumentMismatch") return option + ": expected a value";
  constexpr std::string_view conversion = "Could not convert: ";
  if (name == "ConversionError" && text.starts_with(conversion)) {
    const size_t equals = text.find(" = ");
    return fmt::format("{}: takes no value, got '{}'",
                       text.substr(conversion.size(), equals - conversion.size()),
                       text.substr(equals + 3));
  }
  constexpr std::string_view required = " is required";
  if (name == "RequiredError" && text.ends_with(required)) {
    for (const Verb& verb : verbs) {
      if (verb.app().parsed() > 0)
        return fmt::format("afford {}: expected {}", verb.app().get_name(),
                           text.substr(0, text.size() - required.size()));
    }
  }
  return text;
}

/// Help and version, which CLI11 hands over as exceptions.
int print_asked(const CLI::App& app, const CLI::ParseError& error, const Host& host) {
  std::ostringstream out, err;
  const int code = app.exit(error, out, err);
  print(host, out.str());
  return code;
}

int report(const std::exception& error, const Host& host) {
  const Failure failure = failure_of(error);
  say(host, failure.message + "\n");
  return failure.exit;
}

std::vector<std::string> texts_in(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return {*text};
  if (const auto* texts = std::get_if<std::vector<std::string>>(&value)) return *texts;
  return {};
}

}  // namespace

int run(const std::vector<std::string>& words, const Host& host) {
  CommandLine line(host, words.empty() ? "" : words.front());
  try {
    require_words(words);
    try {
      return parse_and_run(line, words, host);
    } catch (const CLI::ParseError& error) {
      if (error.get_exit_code() == 0) return print_asked(line.app, error, host);
      throw UsageError(wording(error, line.verbs));
    }
  } catch (const std::exception& error) {
    return report(error, host);
  }
}

int run(std::string_view verb, const Values& values, const Host& host) {
  CommandLine line(host, verb);
  try {
    require_words({std::string(verb)});
    for (const auto& [name, value] : values) require_words(texts_in(value));
    if (line.verbs.size() != 1) refuse_verb(line.app, verb);
    line.verbs.front().take(values);
    return line.verbs.front().execute();
  } catch (const std::exception& error) {
    return report(error, host);
  }
}

std::vector<VerbDescription> descriptions() {
  const Host nobody;
  const CommandLine line(nobody);
  std::vector<VerbDescription> all;
  for (const Verb& verb : line.verbs) all.push_back(verb.description());
  return all;
}

}  // namespace afford::cli
