#include "cli/verb.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <cmath>

#include "cli/choose.hpp"
#include "cli/words.hpp"
#include "error.hpp"
#include "text/file.hpp"

namespace afford::cli {
namespace {

std::string flag_of(const Parameter& parameter) { return flag_in_messages(parameter.names); }

/// A value as a text: numbers with all digits.
std::string text_of(const Value& value, const std::string& flag) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return std::to_string(*whole);
  if (const auto* real = std::get_if<double>(&value)) return fmt::format("{}", *real);
  if (const auto* yes = std::get_if<bool>(&value))
    throw UsageError(fmt::format("{}: expected a value, got {}", flag, *yes));
  throw UsageError(flag + ": given more than once; expected one value");
}

std::vector<std::string> texts_of(const Value& value, const std::string& flag) {
  const auto* several = std::get_if<std::vector<std::string>>(&value);
  return several != nullptr ? *several : std::vector{text_of(value, flag)};
}

void refuse_empty(const std::string& text, const std::string& flag) {
  if (text.empty()) throw UsageError(flag + ": expected a value, got an empty one");
}

/// Puts a value where that of a parameter goes. Throws UsageError.
void fill(const Parameter& parameter, const Variable& into, const Value& value) {
  const std::string flag = flag_of(parameter);
  if (auto* const* yes = std::get_if<bool*>(&into)) {
    if (!std::holds_alternative<bool>(value))
      throw UsageError(fmt::format("{}: takes no value, got '{}'", flag, text_of(value, flag)));
    **yes = std::get<bool>(value);
  } else if (auto* const* whole = std::get_if<int*>(&into)) {
    **whole = whole_number(text_of(value, flag), flag);
  } else if (auto* const* real = std::get_if<double*>(&into)) {
    const auto* number = std::get_if<double>(&value);
    const bool known = number != nullptr && std::isfinite(*number);
    **real = known ? *number : real_number(text_of(value, flag), flag);
  } else if (auto* const* text = std::get_if<std::string*>(&into)) {
    **text = text_of(value, flag);
    refuse_empty(**text, flag);
  } else {
    std::vector<std::string>& texts = *std::get<std::vector<std::string>*>(into);
    texts = texts_of(value, flag);
    if (parameter.takes == Takes::list) texts = divided(texts, flag);
    if (parameter.required)
      for (const std::string& each : texts) refuse_empty(each, flag);
  }
}

/// The files that a parameter may read. Names of entries ("step-3") are none.
std::vector<std::string> files_read_by(const Parameter& parameter, const Variable& from) {
  std::vector<std::string> words, files;
  if (auto* const* text = std::get_if<std::string*>(&from)) words = {**text};
  if (auto* const* texts = std::get_if<std::vector<std::string>*>(&from)) words = **texts;
  for (const std::string& word : words) {
    for (std::string& name : names_in_word(word)) {
      if (!parameter.names.starts_with('-') || looks_like_file(name))
        files.push_back(std::move(name));
    }
  }
  return files;
}

}  // namespace

Verb::Verb(const Program& program, const std::string& name, const std::string& help)
    : app_(program.app.add_subcommand(name, help)), host_(&program.host) {
  // Leftovers are refused by run(), which can say what was meant.
  app_->allow_extras();
}

void Verb::add(Parameter says, Variable into) {
  CLI::Option* option = nullptr;
  if (says.takes == Takes::list || says.takes == Takes::repeated) {
    const auto take = [says, into](const std::vector<std::string>& texts) {
      fill(says, into, texts);
    };
    option = app_->add_option_function<std::vector<std::string>>(says.names, take, says.help);
    if (!says.required) option->expected(1)->take_all();
  } else {
    const auto take = [says, into](const std::string& text) { fill(says, into, text); };
    option = app_->add_option_function<std::string>(says.names, take, says.help);
  }
  option->type_name(says.type)->required(says.required);
  if (!says.initial.empty()) option->default_str(says.initial);
  options_.push_back({std::move(says), into});
}

VerbDescription Verb::description() const {
  VerbDescription all{app_->get_name(), app_->get_description(), {}};
  for (const Option& option : options_) all.parameters.push_back(option.says);
  return all;
}

bool Verb::given(const std::string& flag) const {
  const CLI::Option* option = app_->get_option_no_throw(flag);
  return given_.contains(flag) || (option != nullptr && option->count() > 0);
}

void Verb::take(const Values& values) {
  std::set<std::string> known;
  for (const auto& [says, into] : options_) {
    const std::string flag = flag_of(says), name = flag.substr(flag.find_first_not_of('-'));
    const auto value = values.find(name);
    if (value == values.end()) continue;
    fill(says, into, value->second);
    known.insert(name);
    if (value->second != Value(false)) given_.insert(flag);
  }
  for (const Option& option : options_) {
    const std::string flag = flag_of(option.says);
    if (option.says.required && !given(flag))
      throw UsageError(fmt::format("afford {}: expected {}", app_->get_name(), flag));
  }
  for (const auto& [name, value] : values) {
    if (!known.contains(name)) refuse_option(*app_, "afford " + app_->get_name(), "--" + name);
  }
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
    for (const auto& [says, from] : options_) {
      if (!given(flag_of(says)) || flag_of(says) == one.flag) continue;
      for (const std::string& read : files_read_by(says, from))
        refuse_to_write_over(one.flag, *one.file, read);
    }
  }
}

bool Verb::keep(const std::vector<std::string>& words) {
  if (rest_ == nullptr || words.empty() || words.front().starts_with('-')) return false;
  *rest_ = words;
  return true;
}

int Verb::execute() const {
  refuse_places_taken();
  for (const auto& step : steps_) step(*this);
  return run();
}

void Verb::text(const char* names, std::string& into, const char* help, const char* type) {
  add({.names = names, .takes = Takes::text, .type = type, .help = help, .initial = into}, &into);
}

void Verb::written(const char* names, std::string& into, const char* help, const char* type) {
  text(names, into, help, type);
  write(into);
}

void Verb::write(const std::string& into) {
  Parameter& says = options_.back().says;
  says.written = true;
  written_.push_back({flag_of(says), &into});
}

void Verb::texts(const char* names, std::vector<std::string>& into, const char* help,
                 const char* type) {
  const std::string initial = into.empty() ? "" : fmt::format("[{}]", fmt::join(into, ","));
  add({.names = names, .takes = Takes::list, .type = type, .help = help, .initial = initial},
      &into);
}

void Verb::repeated(const char* names, std::vector<std::string>& into, const char* help,
                    const char* type) {
  add({.names = names, .takes = Takes::repeated, .type = type, .help = help, .initial = {}}, &into);
}

void Verb::rest(const char* name, std::vector<std::string>& into, const char* help) {
  app_->prefix_command();
  app_->footer(fmt::format("{}: {}", name, help));
  rest_ = &into;
  options_.push_back(
      {{.names = name, .takes = Takes::repeated, .type = {}, .help = help, .initial = {}}, &into});
}

void Verb::integer(const char* names, int& into, const char* help) {
  add({.names = names,
       .takes = Takes::integer,
       .type = "N",
       .help = help,
       .initial = std::to_string(into)},
      &into);
}

void Verb::real(const char* names, double& into, const char* help) {
  add({.names = names, .takes = Takes::real, .type = "X", .help = help, .initial = {}}, &into);
}

void Verb::flag(const char* names, bool& into, const char* help) {
  app_->add_flag(names, into, help);
  options_.push_back(
      {{.names = names, .takes = Takes::nothing, .type = {}, .help = help, .initial = {}}, &into});
}

void Verb::required(const char* names, std::string& into, const char* help) {
  add({.names = names,
       .takes = Takes::text,
       .type = {},
       .help = help,
       .initial = {},
       .required = true},
      &into);
}

void Verb::required_written(const char* names, std::string& into, const char* help) {
  required(names, into, help);
  write(into);
}

void Verb::required(const char* names, std::vector<std::string>& into, const char* help) {
  add({.names = names,
       .takes = Takes::repeated,
       .type = {},
       .help = help,
       .initial = {},
       .required = true},
      &into);
}

void refuse_option(const CLI::App& app, const std::string& where, const std::string& name) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& each : option->get_lnames()) names.push_back("--" + each);
  }
  throw UsageError(fmt::format("{} has no option '{}'{}", where, name, suggestion(name, names)));
}

}  // namespace afford::cli
