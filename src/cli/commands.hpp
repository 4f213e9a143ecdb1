#pragma once
// One function per verb: registers it with the application and says how to run it.

#include "cli/verb.hpp"
#include "error.hpp"

namespace afford::cli {

Verb cost_command(CLI::App& app);
Verb compare_command(CLI::App& app);
Verb roofline_command(CLI::App& app);
Verb simulate_command(CLI::App& app);
Verb pareto_command(CLI::App& app);
Verb merge_command(CLI::App& app);
Verb plan_command(CLI::App& app);
Verb replay_command(CLI::App& app);
Verb validate_command(CLI::App& app);
Verb list_command(CLI::App& app);
Verb show_command(CLI::App& app);
Verb check_command(CLI::App& app);
Verb import_command(CLI::App& app);
Verb fit_command(CLI::App& app);
Verb prefill_command(CLI::App& app);
Verb fit_engine_command(CLI::App& app);

/// Parses the command line, runs one verb, returns the exit code. Errors go to stderr, one line
/// each.
[[nodiscard]] int run(int argc, char** argv);

}  // namespace afford::cli
