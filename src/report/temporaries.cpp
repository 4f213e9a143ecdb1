#include "report/temporaries.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "error.hpp"

namespace afford::temporaries {
namespace {

/// A signal handler reaches nothing but globals, and reads them at any moment: a name is written
/// before its slot is marked as used.
struct Slot {
  std::atomic<bool> taken = false, used = false;
  int folder = -1;
  std::array<char, 64> name{};
};
std::atomic<const char*> words = nullptr;
std::array<Slot, 512> slots;  // two descriptors each: as many as a process may have

void end_program(int signal) {
  remove_all();
  const char* text = words.load();
  if (text != nullptr) (void)!::write(STDERR_FILENO, text, std::strlen(text));
  // The default action: the one who waits for us shall see the signal.
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void set_handlers() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction now {};
    sigaction(signal, nullptr, &now);
    if (now.sa_handler != SIG_DFL) continue;  // ignored, or a search stops by itself
    struct sigaction action {};
    action.sa_handler = end_program;
    sigaction(signal, &action, nullptr);
  }
}

}  // namespace

void remove_on_signals(const char* last_words) {
  words.store(last_words);
  set_handlers();
}

void add(int folder, std::string_view name) {
  static const bool once = (set_handlers(), std::atexit(remove_all), true);
  (void)once;
  for (Slot& slot : slots) {
    if (name.size() >= slot.name.size() || slot.taken.exchange(true)) continue;
    std::copy(name.begin(), name.end(), slot.name.begin());
    slot.name[name.size()] = '\0';
    slot.folder = folder;
    slot.used = true;
    return;
  }
  throw UsageError(fmt::format("cannot write more than {} files at a time", slots.size()));
}

void forget(int folder, std::string_view name) noexcept {
  for (Slot& slot : slots) {
    if (!slot.used || slot.folder != folder || name != slot.name.data()) continue;
    slot.used = false;
    slot.taken = false;
  }
}

void remove_all() noexcept {
  for (Slot& slot : slots) {
    if (slot.used.exchange(false)) ::unlinkat(slot.folder, slot.name.data(), 0);
  }
}

}  // namespace afford::temporaries
