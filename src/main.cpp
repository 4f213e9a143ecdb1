#include <algorithm>

#include "cli/commands.hpp"
#include "cli/interrupt.hpp"
#include "cli/streams.hpp"

int main(int argc, char** argv) {
  afford::cli::secure_streams();
  afford::cli::announce_interrupts();
  return afford::cli::run({argv + std::min(1, argc), argv + argc});
}
