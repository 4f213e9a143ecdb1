#include <algorithm>

#include "cli/commands.hpp"
#include "cli/streams.hpp"

int main(int argc, char** argv) {
  afford::cli::secure_streams();
  return afford::cli::run({argv + std::min(1, argc), argv + argc});
}
