#include "cli/verb.hpp"

#include <CLI/CLI.hpp>

namespace afford::cli {

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
