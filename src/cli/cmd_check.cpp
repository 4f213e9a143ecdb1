#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "cli/commands.hpp"
#include "study/check.hpp"

namespace afford::cli {
namespace {

/// Prints the verdict on one file; its exit code.
int check(const std::string& file) {
  const study::FileCheck verdict = study::check_file(file);
  for (const std::string& doubt : verdict.doubts) fmt::print("{}: {}\n", file, doubt);
  if (!verdict.doubts.empty()) return exit_no;
  fmt::print("{}: {}\n", file, verdict.what);
  return exit_done;
}

int run(const std::vector<std::string>& files) {
  int worst = exit_done;
  for (const std::string& file : files) {
    try {
      worst = std::max(worst, check(file));
    } catch (const InputError& error) {
      fmt::print(stderr, "{}\n", error.what());
      worst = exit_bad_input;
    }
  }
  return worst;
}

}  // namespace

Verb check_command(CLI::App& app) {
  auto files = std::make_shared<std::vector<std::string>>();
  Verb verb(app, "check",
            "Lint model, hardware, engine and calibration files; says what is wrong and where");
  verb.required("file", *files, "YAML files");
  verb.run = [files] { return run(*files); };
  return verb;
}

}  // namespace afford::cli
