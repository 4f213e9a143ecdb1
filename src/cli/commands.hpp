#pragma once
// One function per verb: registers it with the application and says how to run it.

#include "cli/args.hpp"

namespace afford::cli {

Command cost_command(CLI::App& app);
Command compare_command(CLI::App& app);
Command roofline_command(CLI::App& app);
Command list_command(CLI::App& app);
Command show_command(CLI::App& app);
Command check_command(CLI::App& app);

/// Parses the command line, runs one verb, returns the exit code. Errors go to stderr, one line each.
[[nodiscard]] int run(int argc, char** argv);

}  // namespace afford::cli
