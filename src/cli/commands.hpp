#pragma once
// One function per verb: registers it with the application and says how to run it.

#include "cli/verb.hpp"
#include "error.hpp"

namespace afford::cli {

Verb cost_command(const Program& program);
Verb compare_command(const Program& program);
Verb roofline_command(const Program& program);
Verb simulate_command(const Program& program);
Verb prefill_command(const Program& program);
Verb pareto_command(const Program& program);
Verb merge_command(const Program& program);
Verb plan_command(const Program& program);
Verb replay_command(const Program& program);
Verb validate_command(const Program& program);
Verb list_command(const Program& program);
Verb show_command(const Program& program);
Verb check_command(const Program& program);
Verb import_command(const Program& program);
Verb fit_command(const Program& program);
Verb fit_engine_command(const Program& program);
Verb explore_command(const Program& program);

/// Parses the command line (without the program's name), runs one verb, returns the exit code. What
/// is wrong is said in one line.
[[nodiscard]] int run(const std::vector<std::string>& words, const Host& host = {});

/// The same of a verb and the values of its parameters, which no flag has to be parsed for.
[[nodiscard]] int run(std::string_view verb, const Values& values, const Host& host);

/// Every verb with what it takes, in the order of the help.
[[nodiscard]] std::vector<VerbDescription> descriptions();

}  // namespace afford::cli
