#include <algorithm>
#include <list>

#include "ask.hpp"
#include "cli/commands.hpp"
#include "study/kept_frontiers.hpp"

namespace afford {

/// The newest questions first. A page asks about ways apart between two moves of its slider.
struct Kept::State {
  struct Question {
    std::string verb;
    Values values;  // without the TPOT limit
    study::KeptFrontiers frontiers{};
  };
  std::list<Question> questions;
};

Kept::Kept() : state_(std::make_unique<State>()) {}
Kept::~Kept() = default;
void Kept::forget() { state_->questions.clear(); }

namespace {

study::KeptFrontiers& kept_of(Kept::State& kept, std::string_view verb, Values values) {
  constexpr size_t most = 4;
  values.erase("tpot");
  auto& questions = kept.questions;
  const auto known = std::find_if(questions.begin(), questions.end(), [&](const auto& question) {
    return question.verb == verb && question.values == values;
  });
  if (known != questions.end()) {
    questions.splice(questions.begin(), questions, known);
  } else {
    questions.push_front({.verb = std::string(verb), .values = std::move(values)});
    if (questions.size() > most) questions.pop_back();
  }
  return questions.front().frontiers;
}

Answer answer_of(const std::function<int(const cli::Host&)>& run, const Watch& watch,
                 study::KeptFrontiers* kept = nullptr) {
  static const std::atomic<bool> never = false;
  Answer answer;
  const cli::Host host{.table = [&](const Table& table) { answer.table = table; },
                       .detail = [&](std::string_view name,
                                     const Table& table) { answer.details.emplace(name, table); },
                       .print = [&](std::string_view text) { answer.text += text; },
                       .say = [&](std::string_view text) { answer.said += text; },
                       .stop = watch.stop != nullptr ? watch.stop : &never,
                       .progress = watch.progress,
                       .kept = kept};
  answer.status = run(host);
  return answer;
}

}  // namespace

Answer ask(std::string_view verb, const Values& values, const Watch& watch) {
  study::KeptFrontiers* kept =
      watch.kept == nullptr ? nullptr : &kept_of(watch.kept->state(), verb, values);
  return answer_of([&](const cli::Host& host) { return cli::run(verb, values, host); }, watch,
                   kept);
}

Answer ask(const std::vector<std::string>& words, const Watch& watch) {
  return answer_of([&](const cli::Host& host) { return cli::run(words, host); }, watch);
}

}  // namespace afford
