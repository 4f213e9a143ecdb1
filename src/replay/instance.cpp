#include "replay/instance.hpp"

#include <algorithm>
#include <cmath>

#include "replay/run_length.hpp"
#include "traffic/request.hpp"

namespace afford {

void Usage::add(const Usage& other) {
  in_flight.add(other.in_flight);
  memory.add(other.memory);
  token.add(other.token);
  busy += other.busy;
  prompts += other.prompts;
  preemptions += other.preemptions;
  recomputed += other.recomputed;
}

double Instance::memory(std::int64_t requests, double tokens) const {
  return server_->steps.line(requests, tokens / real(requests)).at.memory;
}

bool Instance::fits(const Arrival& arrival) const {
  return memory(1, real(arrival.prompt + arrival.output)) <= 1;
}

void Instance::accept(Arrival arrival) {
  std::uint32_t id = 0;
  if (free_.empty()) {
    id = static_cast<std::uint32_t>(jobs_.size());
    jobs_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  const std::uint32_t times = jobs_[id].times;
  jobs_[id] = Job{.request = std::move(arrival), .times = times + 1};
  // By arrival, behind those that come at the same time.
  auto at = waiting_.end();
  while (at != waiting_.begin() && jobs_[*std::prev(at)].request.at > jobs_[id].request.at) --at;
  waiting_.insert(at, id);
}

bool Instance::step(Seconds until, std::vector<Outcome>& done) {
  Seconds start = now_;
  if (running() == 0) {
    if (waiting_.empty()) return false;
    start = std::max(start, jobs_[waiting_.front()].request.at);
  }
  if (start >= until) return false;
  now_ = start;
  admit();
  make_room();
  if (prompts_.empty()) {
    run(until, done);
  } else {
    mixed_step(done);
  }
  return true;
}

double Instance::context_of(const Job& job) const {
  return job.decodes ? job.held + real(step_ - job.joined) * server_->tokens_per_step : job.held;
}

void Instance::admit() {
  while (!waiting_.empty() && jobs_[waiting_.front()].request.at <= now_ && admit_first()) {
  }
}

bool Instance::admit_first() {
  const std::uint32_t id = waiting_.front();
  Job& job = jobs_[id];
  const std::int64_t with = running() + 1;
  const double context = real(job.request.prompt + job.made);
  if (server_->most_in_flight > 0 && with > server_->most_in_flight) return false;
  // The tokens that the step at hand adds need room too.
  const double tokens = decoding_tokens_ + prompt_tokens_ + context + growth();
  if (with > 1 && memory(with, tokens) > 1) return false;
  waiting_.pop_front();
  if (!job.seen) job.begun = server_->prompts_here ? now_ : job.request.begun;
  job.held = context;
  job.done = 0;
  look_up_prefix(job);
  job.seen = true;
  admitted_.push_back({id, job.times});
  prompt_tokens_ += job.held;
  prompts_.push_back(id);
  return true;
}

/// The last token of a prompt is always worked off: it makes the first of the output.
void Instance::look_up_prefix(Job& job) {
  const std::int64_t whole = std::llround(job.held);
  std::int64_t known = job.request.known;
  if (server_->cache_tokens > 0)
    known = std::max(known, prefixes_.cached(job.request.blocks) * tokens_per_block);
  known = std::min(known, whole - 1);
  job.done = real(known);
  if (!job.seen) job.cached = std::min(known, job.request.prompt);
  // With the cache from elsewhere nothing is left to do, but after a preemption.
  if (!server_->prompts_here && !job.seen) job.done = job.held;
}

void Instance::make_room() {
  while (running() > 1 && memory(running(), decoding_tokens_ + prompt_tokens_ + growth()) > 1)
    preempt_last();
}

void Instance::preempt_last() {
  while (jobs_[admitted_.back().job].times != admitted_.back().times) admitted_.pop_back();
  const std::uint32_t id = admitted_.back().job;
  admitted_.pop_back();
  Job& job = jobs_[id];
  ++job.times;
  // One whose prompt was not begun only waits again.
  if (job.decodes || job.done > 0) ++usage_.preemptions;
  if (job.decodes) {
    const double made = real(step_ - job.joined) * server_->tokens_per_step;
    decoding_tokens_ -= context_of(job);
    usage_.recomputed += context_of(job);
    --decoding_;
    job.made = std::min(job.made + static_cast<std::int64_t>(made), job.request.output - 1);
    job.decodes = false;
  } else {
    prompts_.pop_back();  // admitted last, so last in its queue
    prompt_tokens_ -= job.held;
    usage_.recomputed += job.done;
  }
  waiting_.push_front(id);
}

void Instance::mixed_step(std::vector<Outcome>& done) {
  Seconds time = decoding_ > 0
                     ? server_->steps.line(decoding_, decoding_tokens_ / real(decoding_)).at.step
                     : Seconds(0);
  double left = real(server_->chunk);
  Seconds attention;
  size_t finished = 0;
  for (const std::uint32_t id : prompts_) {
    Job& job = jobs_[id];
    const double take = std::min(left, job.held - job.done);
    attention += server_->prompts.attention(take, job.done);
    job.done += take;
    left -= take;
    if (job.done < job.held) break;
    ++finished;
  }
  const double tokens = real(server_->chunk) - left;
  if (tokens > 0) {
    Seconds worked = server_->prompts.tokens(tokens) + attention;
    worked += server_->outside_graphs;
    if (decoding_ == 0) worked += server_->between;
    time += worked;
    usage_.prompts += worked;
  }
  // Requests that come with their cache join at once, without a step of their own.
  if (time > Seconds(0)) pass(time, 1);
  for (; finished > 0; --finished) {
    const std::uint32_t id = prompts_.front();
    prompts_.pop_front();
    begin_decoding(id, done);
  }
  end_due(done);
}

/// A step of those that decode and one more of such a context.
Seconds Instance::step_with(double context) {
  const double tokens = decoding_tokens_ + context;
  return server_->steps.line(decoding_ + 1, tokens / real(decoding_ + 1)).at.step;
}

void Instance::begin_decoding(std::uint32_t id, std::vector<Outcome>& done) {
  Job& job = jobs_[id];
  prompt_tokens_ -= job.held;
  if (!job.request.blocks.empty() && server_->cache_tokens > 0) {
    const double full =
        memory(std::max<std::int64_t>(running(), 1), decoding_tokens_ + prompt_tokens_ + job.held);
    const double room = std::max(0.0, 1 - full) * server_->cache_tokens;
    prefixes_.keep(job.request.blocks, static_cast<std::int64_t>(room) / tokens_per_block);
  }
  if (job.made == 0) {
    job.first_token = server_->prompts_here ? now_ : job.request.first_token;
    job.late = server_->first_token * step_with(job.held);
  }
  ++job.made;
  job.held += 1;
  job.decodes = true;
  job.joined = step_;
  ++decoding_;
  decoding_tokens_ += job.held;
  const double steps = std::ceil(real(job.request.output - job.made) / server_->tokens_per_step);
  endings_.push({step_ + static_cast<std::int64_t>(steps), id, job.times});
  end_due(done);
}

void Instance::run(Seconds until, std::vector<Outcome>& done) {
  const double each = server_->tokens_per_step;
  const double mean = decoding_tokens_ / real(decoding_);
  const StepTable::Line line = server_->steps.line(decoding_, mean);
  std::int64_t most = steps_to_change();
  const auto limit = [&](double tokens) {
    const double steps = std::floor(std::max(tokens, 0.0) / each) + 1;
    if (steps < real(most)) most = static_cast<std::int64_t>(steps);
  };
  limit(line.until - mean);
  if (decoding_ > 1 && line.slope.memory > 0)
    limit((1 - line.at.memory) / line.slope.memory - each);
  if (!waiting_.empty() && jobs_[waiting_.front()].request.at > now_)
    until = std::min(until, jobs_[waiting_.front()].request.at);
  const Steps steps{line.at.step, each * line.slope.step};
  const std::int64_t count = steps_for(steps, until - now_, most);
  pass(time_of(steps, count), count);
  end_due(done);
}

std::int64_t Instance::steps_to_change() {
  while (jobs_[endings_.top().job].times != endings_.top().times) endings_.pop();
  return endings_.top().step - step_;
}

std::int64_t Instance::arrived_and_waiting() const {
  auto end = waiting_.end();
  while (end != waiting_.begin() && jobs_[*std::prev(end)].request.at > now_) --end;
  return end - waiting_.begin();
}

void Instance::pass(Seconds time, std::int64_t steps) {
  const std::int64_t held = running();
  const double grown = growth() * real(steps);
  const double full = memory(held, decoding_tokens_ + prompt_tokens_ + grown / 2);
  usage_.busy += time;
  usage_.in_flight.add(real(held), time.base());
  usage_.memory.add(full, time.base());
  if (decoding_ > 0)
    usage_.token.add((time / (real(steps) * server_->tokens_per_step)).base(), grown);
  series_->add(now_, time,
               {.in_flight = real(held),
                .waiting = real(arrived_and_waiting()),
                .memory = full,
                .tokens = grown});
  now_ += time;
  step_ += steps;
  decoding_tokens_ += grown;
}

void Instance::end_due(std::vector<Outcome>& done) {
  while (!endings_.empty()) {
    const Ending& next = endings_.top();
    const bool gone = jobs_[next.job].times != next.times;
    if (!gone && next.step > step_) return;
    const std::uint32_t id = next.job;
    endings_.pop();
    if (!gone) finish(id, done);
  }
}

void Instance::finish(std::uint32_t id, std::vector<Outcome>& done) {
  Job& job = jobs_[id];
  decoding_tokens_ -= context_of(job);
  --decoding_;
  if (decoding_ == 0) decoding_tokens_ = 0;  // no remainder of rounding
  done.push_back({.asked = job.request.asked,
                  .begun = job.begun,
                  .first_token = job.first_token + job.late,
                  .end = now_ + job.late,
                  .prompt = job.request.prompt,
                  .output = job.request.output,
                  .cached = job.cached});
  ++job.times;
  job.request.blocks.clear();
  free_.push_back(id);
  // What is gone is forgotten when it is the most.
  const auto live = static_cast<size_t>(running());
  constexpr size_t few = 64;
  if (admitted_.size() < 2 * live + few) return;
  std::erase_if(admitted_, [&](const Admitted& a) { return jobs_[a.job].times != a.times; });
}

}  // namespace afford
