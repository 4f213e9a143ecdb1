#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cli/commands.hpp"
#include "cli/streams.hpp"
#include "error.hpp"
#include "study/check.hpp"
#include "text/escape.hpp"

namespace afford::cli {
namespace {

/// Prints the verdict on one file; its exit code.
int check(const Host& host, const std::string& file) {
  const study::FileCheck verdict = study::check_file(file);
  for (const std::string& note : verdict.notes)
    print(host, fmt::format("{}: {}\n", escaped(file), escaped(note)));
  for (const std::string& doubt : verdict.doubts)
    print(host, fmt::format("{}: {}\n", escaped(file), escaped(doubt)));
  if (!verdict.doubts.empty()) return exit_no;
  print(host, fmt::format("{}: {}\n", escaped(file), escaped(verdict.what)));
  return exit_done;
}

int run(const Host& host, const std::vector<std::string>& files) {
  int worst = exit_done;
  for (const std::string& file : files) {
    try {
      worst = std::max(worst, check(host, file));
    } catch (const InputError& error) {
      say(host, fmt::format("{}\n", error.what()));
      worst = exit_bad_input;
    }
  }
  return worst;
}

}  // namespace

Verb check_command(const Program& program) {
  auto files = std::make_shared<std::vector<std::string>>();
  Verb verb(program, "check",
            "Lint model, hardware, engine and calibration files; says what is wrong and where");
  verb.required("file", *files, "YAML files");
  verb.run = [files, host = &verb.host()] { return run(*host, *files); };
  return verb;
}

}  // namespace afford::cli
