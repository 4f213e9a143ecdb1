// The only file that sees CLI11, which takes a compiler longer than all of cli/ together.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <vector>

#include "cli/commands.hpp"
#include "cli/failure.hpp"
#include "cli/verb.hpp"
#include "error.hpp"
#include "text/suggest.hpp"
#include "version.hpp"

namespace afford::cli {
namespace {

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

/// What the parser left over: a misspelt flag, or a word where none belongs.
void refuse_leftovers(const CLI::App& app, const std::string& where) {
  const std::vector<std::string> rest = app.remaining();
  if (rest.empty()) return;
  const std::string& first = rest.front();
  if (first.starts_with('-')) {
    const std::string name = first.substr(0, first.find('='));
    throw UsageError(
        fmt::format("{} has no option '{}'{}", where, name, suggestion(name, option_names(app))));
  }
  throw UsageError(fmt::format("{} does not expect '{}'", where, first));
}

void refuse_unknown_verb(const CLI::App& app) {
  const std::vector<std::string> rest = app.remaining();
  if (rest.empty() || rest.front().starts_with('-')) return refuse_leftovers(app, "afford");
  std::vector<std::string> verbs;
  for (const CLI::App* verb : app.get_subcommands({})) verbs.push_back(verb->get_name());
  throw UsageError(fmt::format("no verb '{}'{}", rest.front(), suggestion(rest.front(), verbs)));
}

int parse_and_run(CLI::App& app, const std::vector<Verb>& verbs, int argc, char** argv) {
  app.parse(argc, argv);
  for (const Verb& verb : verbs) {
    if (!verb.app().parsed()) continue;
    refuse_leftovers(verb.app(), "afford " + verb.app().get_name());
    return verb.run();
  }
  refuse_unknown_verb(app);
  fmt::print("{}", app.help());
  return exit_done;
}

}  // namespace

int run(int argc, char** argv) {
  CLI::App app("What a decoded token costs, on which hardware, split how.", "afford");
  app.set_version_flag("--version", std::string("afford ") + version);
  app.allow_extras();
  app.footer("afford VERB --help tells more. Models and hardware: afford list.");
  const std::vector<Verb> verbs = {
      cost_command(app),   compare_command(app),    roofline_command(app), simulate_command(app),
      pareto_command(app), merge_command(app),      plan_command(app),     validate_command(app),
      import_command(app), fit_engine_command(app), list_command(app),     show_command(app),
      check_command(app)};
  try {
    return parse_and_run(app, verbs, argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    fmt::print(stderr, "afford: {}\n", error.what());
    return exit_bad_input;
  } catch (const std::exception& error) {
    const Failure failure = failure_of(error);
    fmt::print(stderr, "{}\n", failure.message);
    return failure.exit;
  }
}

Verb::Verb(CLI::App& app, const std::string& name, const std::string& help)
    : app_(app.add_subcommand(name, help)) {
  // Leftovers are refused by run(), which can say what was meant.
  app_->allow_extras();
}

void Verb::text(const char* names, std::string& into, const char* help, const char* type) {
  CLI::Option* option = app_->add_option(names, into, help)->type_name(type);
  if (!into.empty()) option->capture_default_str();
}

void Verb::texts(const char* names, std::vector<std::string>& into, const char* help,
                 const char* type) {
  CLI::Option* option = app_->add_option(names, into, help)->delimiter(',')->type_name(type);
  if (!into.empty()) option->capture_default_str();
}

void Verb::repeated(const char* names, std::vector<std::string>& into, const char* help,
                    const char* type) {
  app_->add_option(names, into, help)->expected(1)->take_all()->type_name(type);
}

void Verb::integer(const char* names, int& into, const char* help) {
  app_->add_option(names, into, help)->type_name("N")->capture_default_str();
}

void Verb::real(const char* names, double& into, const char* help) {
  app_->add_option(names, into, help)->type_name("X");
}

void Verb::flag(const char* names, bool& into, const char* help) {
  app_->add_flag(names, into, help);
}

void Verb::required(const char* names, std::string& into, const char* help) {
  app_->add_option(names, into, help)->required()->type_name("");
}

void Verb::required(const char* names, std::vector<std::string>& into, const char* help) {
  app_->add_option(names, into, help)->required()->type_name("");
}

}  // namespace afford::cli
