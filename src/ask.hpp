#pragma once
// A question as a verb and named values, an answer as values.
//
//   const afford::Answer answer = afford::ask("simulate", {{"model", "step-3"}, {"context", 4096},
//                                                          {"colocated", "h800:2x8"},
//                                                          {"batch", 768}, {"explain", true}});
//   if (answer.status == afford::Answer::bad_input) throw std::invalid_argument(answer.said);
//   for (const auto& row : answer.table->rows) use(row);
//
// Every verb and flag of the program is there, with the same numbers, checks and messages. Nothing
// global is changed, and questions may be asked from several threads at once.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "report/table.hpp"

namespace afford {

/// What a parameter is given: yes or no, a number, a text in its notation ("h800:2x8", "4k", "50
/// ms"), or several of them.
using Value = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>>;
/// By the names of the flags, without dashes ("kv-dtype"), and of the arguments ("workload").
using Values = std::map<std::string, Value, std::less<>>;

/// What a question came to.
struct Answer {
  /// As the program's exit status: no is an answer ("it does not fit"), `fault` one of afford's.
  enum Status { done = 0, no = 1, bad_input = 2, fault = 70, interrupted = 130 };
  int status = done;
  /// Columns with their keys, units in them, and a row for each result; none where the question was
  /// not understood, or went to a file (-o FILE).
  std::optional<Table> table;
  /// What belongs to its rows: "operations" of simulate's explain, "events" of its timeline.
  std::map<std::string, Table> details;
  std::string text;  // explanations, verdicts of check, a model file of import
  std::string said;  // what the program says on standard error, errors among it, in lines
};

/// What questions leave for the next ones: a frontier (pareto) that is asked for under another TPOT
/// limit, all else as before, is found without another search. For one question at a time.
class Kept {
 public:
  Kept();
  ~Kept();
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;
  /// To be called where files that are asked about may have changed.
  void forget();

  struct State;
  [[nodiscard]] State& state() { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

/// How a question that takes long goes on.
struct Watch {
  const std::atomic<bool>* stop = nullptr;  // set to end a search early
  /// Candidates of a search tried so far, and in all. May be called from another thread.
  std::function<void(std::uint64_t, std::uint64_t)> progress;
  Kept* kept = nullptr;  // of questions by values
};

/// Asks a verb. Bad input is an Answer, too; throws nothing but std::bad_alloc.
[[nodiscard]] Answer ask(std::string_view verb, const Values& values, const Watch& watch = {});

/// Asks what the words after `afford` on a command line ask: {"cost", "-m", "step-3"}.
[[nodiscard]] Answer ask(const std::vector<std::string>& words, const Watch& watch = {});

}  // namespace afford
