#include "cli/verb.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

#include "cli/choose.hpp"
#include "cli/words.hpp"
#include "error.hpp"
#include "text/file.hpp"

namespace afford::cli {
namespace {

/// The files that an option may read. Names of entries ("step-3") are none.
std::vector<std::string> files_read_by(const CLI::Option& option) {
  std::vector<std::string> files;
  for (const std::string& word : option.results()) {
    for (std::string& name : names_in_word(word)) {
      if (option.get_positional() || looks_like_file(name)) files.push_back(std::move(name));
    }
  }
  return files;
}

void require(CLI::Option* option) {
  option->required()->type_name("")->check(CLI::Validator(refuse_empty, ""));
}

}  // namespace

Verb::Verb(const Program& program, const std::string& name, const std::string& help)
    : app_(program.app.add_subcommand(name, help)), host_(&program.host) {
  // Leftovers are refused by run(), which can say what was meant.
  app_->allow_extras();
}

void Verb::note(const char* names, Takes takes) {
  const CLI::Option* option = app_->get_option(flag_in_messages(names));
  parameters_.push_back({.names = names,
                         .takes = takes,
                         .type = option->get_type_name(),
                         .help = option->get_description(),
                         .initial = option->get_default_str(),
                         .required = option->get_required()});
}

VerbDescription Verb::description() const {
  return {app_->get_name(), app_->get_description(), parameters_};
}

bool Verb::given(const std::string& flag) const {
  const CLI::Option* option = app_->get_option_no_throw(flag);
  return option != nullptr && option->count() > 0;
}

void Verb::refuse_places_taken() const {
  for (const Written& one : written_) {
    if (one.file->empty()) continue;
    if (*one.file == "-")
      throw UsageError(
          fmt::format("{}: expected a file, got '-'; standard output is /dev/stdout, "
                      "a file of that name ./-",
                      one.flag));
    for (const Written& other : written_) {
      const bool device = one.file->starts_with("/dev/");
      if (&one == &other || other.file->empty() || device) continue;
      if (place_written(*one.file) != place_written(*other.file)) continue;
      throw UsageError(fmt::format("{} and {} both write {}", one.flag, other.flag, *one.file));
    }
    for (const CLI::Option* option : app_->get_options()) {
      if (option == app_->get_option_no_throw(one.flag)) continue;
      for (const std::string& read : files_read_by(*option))
        refuse_to_write_over(one.flag, *one.file, read);
    }
  }
}

bool Verb::keeps(const std::vector<std::string>& words) const {
  return rest_ != nullptr && !words.empty() && !words.front().starts_with('-');
}

int Verb::execute() const {
  if (rest_ != nullptr) *rest_ = app_->remaining();
  refuse_places_taken();
  for (const auto& step : steps_) step(*this);
  return run();
}

void Verb::text(const char* names, std::string& into, const char* help, const char* type) {
  CLI::Option* option = app_->add_option(names, into, help)->type_name(type);
  option->check(CLI::Validator(refuse_empty, ""));
  if (!into.empty()) option->capture_default_str();
  note(names, Takes::text);
}

void Verb::written(const char* names, std::string& into, const char* help, const char* type) {
  text(names, into, help, type);
  written_.push_back({flag_in_messages(names), &into});
  parameters_.back().written = true;
}

void Verb::texts(const char* names, std::vector<std::string>& into, const char* help,
                 const char* type) {
  const auto take = [&into, flag = flag_in_messages(names)](const std::vector<std::string>& given) {
    into = divided(given, flag);
  };
  CLI::Option* option = app_->add_option_function<std::vector<std::string>>(names, take, help);
  option->expected(1)->take_all()->type_name(type);
  if (!into.empty()) option->default_str(fmt::format("[{}]", fmt::join(into, ",")));
  note(names, Takes::list);
}

void Verb::repeated(const char* names, std::vector<std::string>& into, const char* help,
                    const char* type) {
  app_->add_option(names, into, help)->expected(1)->take_all()->type_name(type);
  note(names, Takes::repeated);
}

void Verb::rest(const char* name, std::vector<std::string>& into, const char* help) {
  app_->prefix_command();
  app_->footer(fmt::format("{}: {}", name, help));
  rest_ = &into;
  parameters_.push_back(
      {.names = name, .takes = Takes::repeated, .type = {}, .help = help, .initial = {}});
}

void Verb::integer(const char* names, int& into, const char* help) {
  const auto take = [&into, flag = flag_in_messages(names)](const std::string& text) {
    into = whole_number(text, flag);
  };
  app_->add_option_function<std::string>(names, take, help)
      ->type_name("N")
      ->default_str(std::to_string(into));
  note(names, Takes::integer);
}

void Verb::real(const char* names, double& into, const char* help) {
  const auto take = [&into, flag = flag_in_messages(names)](const std::string& text) {
    into = real_number(text, flag);
  };
  app_->add_option_function<std::string>(names, take, help)->type_name("X");
  note(names, Takes::real);
}

void Verb::flag(const char* names, bool& into, const char* help) {
  app_->add_flag(names, into, help);
  note(names, Takes::nothing);
}

void Verb::required(const char* names, std::string& into, const char* help) {
  require(app_->add_option(names, into, help));
  note(names, Takes::text);
}

void Verb::required_written(const char* names, std::string& into, const char* help) {
  required(names, into, help);
  written_.push_back({flag_in_messages(names), &into});
  parameters_.back().written = true;
}

void Verb::required(const char* names, std::vector<std::string>& into, const char* help) {
  require(app_->add_option(names, into, help));
  note(names, Takes::repeated);
}

}  // namespace afford::cli
