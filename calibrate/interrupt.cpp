#include "interrupt.hpp"

#include <csignal>

namespace afford::calibrate {
namespace {

volatile std::sig_atomic_t seen = 0;  // all a signal handler may touch

void handle(int signal) {
  seen = 1;
  std::signal(signal, SIG_DFL);
}

}  // namespace

void catch_interrupts() {
  std::signal(SIGINT, handle);
  std::signal(SIGTERM, handle);
}

bool interrupted() { return seen != 0; }

}  // namespace afford::calibrate
