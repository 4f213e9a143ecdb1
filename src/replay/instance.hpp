#pragma once
// One engine that works off requests by continuous batching: those that have come wait for room in
// the memory, have their prompts worked off in chunks, and decode together, a token of each in a
// step (speculation: several). Steps between two events are taken at once.

#include <deque>
#include <queue>
#include <vector>

#include "replay/chunk_table.hpp"
#include "replay/prefix_cache.hpp"
#include "replay/step_table.hpp"
#include "replay/time_series.hpp"
#include "traffic/histogram.hpp"

namespace afford {

/// What every instance of a deployment is; shared by them, as its tables are.
struct Server {
  StepTable steps;
  ChunkTable prompts;
  bool prompts_here = true;  // else they come worked off, with their cache
  Seconds outside_graphs;    // added to a step that a prompt joins
  Seconds between;           // host time of a step that nothing decodes in
  double tokens_per_step = 1;
  double first_token = 0;           // PromptRates'
  std::int64_t chunk = 8192;        // most tokens of prompts in a step
  std::int64_t most_in_flight = 0;  // requests; 0: as the memory allows
  double cache_tokens = 0;          // that the memory holds; 0: prefixes are not cached
};

/// A request on its way to an instance.
struct Arrival {
  Seconds at;     // the instance
  Seconds asked;  // of whoever serves it
  std::int64_t prompt = 0, output = 1;
  std::int64_t known = 0;  // of the prompt, found in a cache of no concern here
  std::vector<std::int64_t> blocks;
  /// When its prompt was begun and its first token made, where prompts are worked off elsewhere.
  Seconds begun, first_token;
};

/// A request that is done.
struct Outcome {
  Seconds asked, begun, first_token, end;
  std::int64_t prompt = 0, output = 0, cached = 0;
};

/// What an instance was busy with, over time.
struct Usage {
  Histogram in_flight, memory;  // requests, and share of the room for caches; by time
  Histogram token;              // seconds from one token to the next; by token
  Seconds busy, prompts;        // at work, and of it on prompts
  std::int64_t preemptions = 0;
  double recomputed = 0;  // tokens that preempted requests had in the cache

  void add(const Usage& other);
};

class Instance {
 public:
  /// Both must outlive it.
  Instance(Server& server, TimeSeries& series) : server_(&server), series_(&series) {}

  /// Whether it can be served at all: alone it fits the memory.
  [[nodiscard]] bool fits(const Arrival& arrival) const;
  /// Only of what fits. Arrivals may be in the future.
  void accept(Arrival arrival);

  /// One event that begins before `until`: a step that prompts join, or the steps up to the next
  /// change. False: there is none.
  bool step(Seconds until, std::vector<Outcome>& done);

  [[nodiscard]] bool works_on_prompts() const { return server_->prompts_here; }
  [[nodiscard]] Seconds now() const { return now_; }
  [[nodiscard]] std::int64_t outstanding() const {
    return running() + static_cast<std::int64_t>(waiting_.size());
  }
  [[nodiscard]] const Usage& usage() const { return usage_; }

 private:
  struct Job {
    Arrival request;
    Seconds begun, first_token;
    Seconds late;               // what it sees of its tokens comes so much after they are made
    bool seen = false;          // admitted before
    std::int64_t made = 0;      // tokens of the output
    std::int64_t cached = 0;    // tokens of the prompt
    double held = 0, done = 0;  // tokens: its context when admitted, and so far worked off
    std::int64_t joined = 0;    // the step from which it decodes
    std::uint32_t times = 0;    // it was admitted or sent back
    bool decodes = false;
  };
  struct Ending {
    std::int64_t step = 0;
    std::uint32_t job = 0, times = 0;
    bool operator>(const Ending& other) const { return step > other.step; }
  };
  struct Admitted {
    std::uint32_t job = 0, times = 0;
  };

  [[nodiscard]] std::int64_t running() const {
    return decoding_ + static_cast<std::int64_t>(prompts_.size());
  }
  [[nodiscard]] double growth() const { return real(decoding_) * server_->tokens_per_step; }
  [[nodiscard]] double memory(std::int64_t requests, double tokens) const;
  [[nodiscard]] double context_of(const Job& job) const;
  void admit();
  bool admit_first();
  void look_up_prefix(Job& job);
  void make_room();
  void preempt_last();
  void mixed_step(std::vector<Outcome>& done);
  void run(Seconds until, std::vector<Outcome>& done);
  [[nodiscard]] std::int64_t steps_to_change();
  void pass(Seconds time, std::int64_t steps);
  [[nodiscard]] std::int64_t arrived_and_waiting() const;
  void end_due(std::vector<Outcome>& done);
  [[nodiscard]] Seconds step_with(double context);
  void begin_decoding(std::uint32_t id, std::vector<Outcome>& done);
  void finish(std::uint32_t id, std::vector<Outcome>& done);

  Server* server_;
  TimeSeries* series_;
  Seconds now_;
  std::int64_t step_ = 0, decoding_ = 0;
  double decoding_tokens_ = 0, prompt_tokens_ = 0;  // in the cache, or reserved there
  std::vector<Job> jobs_;
  std::vector<std::uint32_t> free_;
  std::deque<std::uint32_t> waiting_, prompts_;
  std::vector<Admitted> admitted_;  // in order, with those that are gone
  std::priority_queue<Ending, std::vector<Ending>, std::greater<>> endings_;
  PrefixCache prefixes_;
  Usage usage_;
};

}  // namespace afford
