#include "ask.hpp"
#include "cli/commands.hpp"

namespace afford {
namespace {

Answer answer_of(const std::function<int(const cli::Host&)>& run, const Watch& watch) {
  static const std::atomic<bool> never = false;
  Answer answer;
  const cli::Host host{.table = [&](const Table& table) { answer.table = table; },
                       .detail = [&](std::string_view name,
                                     const Table& table) { answer.details.emplace(name, table); },
                       .print = [&](std::string_view text) { answer.text += text; },
                       .say = [&](std::string_view text) { answer.said += text; },
                       .stop = watch.stop != nullptr ? watch.stop : &never,
                       .progress = watch.progress};
  answer.status = run(host);
  return answer;
}

}  // namespace

Answer ask(std::string_view verb, const Values& values, const Watch& watch) {
  return answer_of([&](const cli::Host& host) { return cli::run(verb, values, host); }, watch);
}

Answer ask(const std::vector<std::string>& words, const Watch& watch) {
  return answer_of([&](const cli::Host& host) { return cli::run(words, host); }, watch);
}

}  // namespace afford
