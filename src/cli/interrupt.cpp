#include "cli/interrupt.hpp"

#include <csignal>
#include <cstdint>
#include <ctime>

#include "cli/streams.hpp"
#include "report/temporaries.hpp"

namespace afford::cli {
namespace {

// A signal handler reaches nothing but globals.
std::atomic<bool> interrupted = false;
std::atomic<std::int64_t> first_ns = 0, repeats_ns = 0;
static_assert(std::atomic<bool>::is_always_lock_free &&
              std::atomic<std::int64_t>::is_always_lock_free);

/// clock_gettime is among the few functions a handler may call; std::chrono does not promise it.
std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void note(int number) {
  const std::int64_t now = now_ns();
  if (!interrupted.exchange(true)) {
    first_ns.store(now);
    return;
  }
  if (now - first_ns.load() < repeats_ns.load()) return;
  temporaries::remove_all();
  // Blocked while it is handled: it takes the default effect as soon as this returns.
  std::signal(number, SIG_DFL);
  std::raise(number);
}

}  // namespace

void announce_interrupts() {
  temporaries::remove_on_signals("afford: interrupted; no file is half written\n");
}

int say_interrupted(const Host& host) {
  say(host, "afford: interrupted before there was an answer; nothing is written\n");
  return exit_interrupted;
}

const std::atomic<bool>& watch_interrupts(std::chrono::nanoseconds repeats) {
  repeats_ns.store(repeats.count());
  struct sigaction action {};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART;
  // One at a time: the second of two that come together finds the first one's time.
  sigaddset(&action.sa_mask, SIGINT);
  sigaddset(&action.sa_mask, SIGTERM);
  sigaddset(&action.sa_mask, SIGHUP);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    sigaction(number, nullptr, &before);
    if (before.sa_handler != SIG_IGN) sigaction(number, &action, nullptr);  // nohup stays so
  }
  return interrupted;
}

const std::atomic<bool>& stop_of(const Host& host) {
  return host.stop != nullptr ? *host.stop : watch_interrupts();
}

}  // namespace afford::cli
