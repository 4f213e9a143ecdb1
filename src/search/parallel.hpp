#pragma once
// Work of many threads by oneTBB, with the order that it keeps among them said once more where the
// thread sanitizer hears it: distributions ship that library without instrumentation, so that its
// waits look to the sanitizer as if nobody had waited.

#include <tbb/parallel_for.h>
#include <tbb/parallel_pipeline.h>
#include <tbb/task_arena.h>

#include <atomic>
#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define AFFORD_THREAD_SANITIZER
#endif
#endif

namespace afford {

/// What a thread did before it gives is there for the one that takes after it. Those that give
/// are not ordered among themselves. Under the thread sanitizer alone: else oneTBB does it.
class HandOver {
 public:
#ifdef AFFORD_THREAD_SANITIZER
  void give() { given_.fetch_add(1, std::memory_order_release); }
  void take() { (void)given_.load(std::memory_order_acquire); }

 private:
  std::atomic<unsigned> given_ = 0;
#else
  void give() {}
  void take() {}
#endif
};

/// A piece of work: takes what came before it, gives to what comes after, also where it throws.
class Piece {
 public:
  Piece(HandOver& before, HandOver& after) : after_(after) { before.take(); }
  ~Piece() { after_.give(); }
  Piece(const Piece&) = delete;
  Piece& operator=(const Piece&) = delete;

 private:
  HandOver& after_;
};

/// body(0) to body(count - 1), on as many threads as there are.
template <class Body>
void for_each_index(std::size_t count, const Body& body) {
  static HandOver before, after;  // a captured one would be read before it is taken
  const auto work = [&](std::size_t i) {
    const Piece piece(before, after);
    body(i);
  };
  before.give();
  tbb::parallel_for(std::size_t{0}, count, work);
  after.take();
}

/// While there is `more` of them: work(0), work(1) .. on as many threads as there are, and each
/// result to finish() in that order. Neither `more` nor `finish` runs on two threads at once.
template <class More, class Work, class Finish>
void work_in_order(const More& more, const Work& work, const Finish& finish) {
  using Result = std::invoke_result_t<Work, std::size_t>;
  const auto most = 4 * static_cast<std::size_t>(tbb::this_task_arena::max_concurrency());
  // They leave in the order in which they came: those in flight have places of their own.
  std::vector<std::optional<Result>> in_flight(most);
  std::size_t next = 0;
  static HandOver begun, worked, finished;
  const auto take = [&](tbb::flow_control& control) {
    finished.take();
    const Piece piece(begun, begun);
    if (!more(next)) control.stop();
    return next++;
  };
  const auto pass = [&](std::size_t i) {
    const Piece piece(begun, worked);
    in_flight[i % most].emplace(work(i));
    return i;
  };
  const auto leave = [&](std::size_t i) {
    worked.take();
    const Piece piece(finished, finished);
    const std::optional<Result> result = std::exchange(in_flight[i % most], std::nullopt);
    finish(*result);
  };
  const auto stages = tbb::make_filter<void, std::size_t>(tbb::filter_mode::serial_in_order, take) &
                      tbb::make_filter<std::size_t, std::size_t>(tbb::filter_mode::parallel, pass) &
                      tbb::make_filter<std::size_t, void>(tbb::filter_mode::serial_in_order, leave);
  begun.give();
  tbb::parallel_pipeline(most, stages);
  for (HandOver* last : {&begun, &worked, &finished}) last->take();
}

}  // namespace afford
