#include "cli/commands.hpp"

int main(int argc, char** argv) { return afford::cli::run(argc, argv); }
