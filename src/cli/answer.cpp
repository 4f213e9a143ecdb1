#include "ask.hpp"
#include "cli/commands.hpp"

namespace afford {

Answer ask(const std::vector<std::string>& words, const Watch& watch) {
  static const std::atomic<bool> never = false;
  Answer answer;
  const cli::Host host{.table = [&](const Table& table) { answer.table = table; },
                       .print = [&](std::string_view text) { answer.text += text; },
                       .say = [&](std::string_view text) { answer.said += text; },
                       .stop = watch.stop != nullptr ? watch.stop : &never,
                       .progress = watch.progress};
  answer.status = cli::run(words, host);
  return answer;
}

}  // namespace afford
