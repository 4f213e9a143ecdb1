#include "search/found.hpp"

#include <limits>
#include <span>

namespace afford {
namespace {

bool more_tokens(const Candidate& a, const Candidate& b) {
  return preferred(a, b, Objective::throughput);
}

bool faster(const Candidate& a, const Candidate& b) {
  if (a.goals.tpot_ms != b.goals.tpot_ms) return a.goals.tpot_ms < b.goals.tpot_ms;
  return a.ttft_ms != b.ttft_ms ? a.ttft_ms < b.ttft_ms : a.number < b.number;
}

void keep_better(std::optional<Candidate>& kept, const Candidate& candidate, auto better) {
  if (!kept || better(candidate, *kept)) kept = candidate;
}

size_t form_of(const Candidate& c) {
  if (c.prompts == Prompts::beside_tokens) return 2;
  return c.way == Way::disaggregated ? 0 : 1;
}

void keep_most_tokens(std::map<Shape, Candidate>& shapes, const Candidate& c) {
  const auto [known, added] = shapes.emplace(shape_of(c), c);
  if (!added && more_tokens(c, known->second)) known->second = c;
}

void add_to(Tally& tally, Verdict verdict, std::uint64_t candidates) {
  tally.tried += candidates;
  switch (verdict) {
    case Verdict::feasible:
      tally.feasible += candidates;
      break;
    case Verdict::slow:
      tally.slow += candidates;
      break;
    case Verdict::attention_memory:
      tally.attention_memory += candidates;
      break;
    case Verdict::ffn_memory:
      tally.ffn_memory += candidates;
      break;
  }
}

}  // namespace

Shape shape_of(const Candidate& c) {
  Shape shape{.way = c.way, .attention_chip = c.attention.chip};
  shape.attention_gpus = c.attention.instances * c.attention.accelerators;
  if (c.way != Way::disaggregated) return shape;
  shape.ffn_chip = c.ffn.chip;
  shape.ffn_gpus = c.ffn.instances * c.ffn.accelerators;
  return shape;
}

void BestOfPairs::add(const Candidate& c, Objective objective) {
  const bool pair = c.way == Way::disaggregated;
  std::optional<Candidate>& best =
      best_[pair ? c.attention.chip * chips_ + c.ffn.chip : chips_ * chips_ + c.attention.chip];
  if (!best || preferred(c, *best, objective)) best = c;
}

void BestOfPairs::add(const BestOfPairs& other, Objective objective) {
  for (const auto& candidate : other.best_) {
    if (candidate) add(*candidate, objective);
  }
}

namespace {

std::optional<Candidate> best_among(std::span<const std::optional<Candidate>> candidates,
                                    Objective objective) {
  std::optional<Candidate> best;
  for (const std::optional<Candidate>& each : candidates) {
    if (each && (!best || better(each->goals, best->goals, objective))) best = each;
  }
  return best;
}

}  // namespace

std::optional<Candidate> BestOfPairs::best_afd(Objective objective) const {
  return best_among(std::span(best_).first(chips_ * chips_), objective);
}

std::optional<Candidate> BestOfPairs::best_colocated(Objective objective) const {
  return best_among(std::span(best_).subspan(chips_ * chips_), objective);
}

Tally& Tally::operator+=(const Tally& other) {
  tried += other.tried;
  feasible += other.feasible;
  slow += other.slow;
  attention_memory += other.attention_memory;
  ffn_memory += other.ffn_memory;
  return *this;
}

void Found::add(const Found& other) {
  frontier.add(other.frontier);
  best.add(other.best, objective);
  limits.add(other.limits);
  rivals.add(other.rivals);
  for (const auto& [shape, candidate] : other.shapes) keep_most_tokens(shapes, candidate);
  tally += other.tally;
  evaluated += other.evaluated;
  watched.tally += other.watched.tally;
  const auto better = [&](const Candidate& a, const Candidate& b) {
    return preferred(a, b, objective);
  };
  for (size_t i = 0; i < forms.size(); ++i) {
    if (other.forms[i]) keep_better(forms[i], *other.forms[i], better);
  }
  if (other.fastest) keep_better(fastest, *other.fastest, faster);
  if (other.watched.fastest) keep_better(watched.fastest, *other.watched.fastest, faster);
  if (other.watched.best) keep_better(watched.best, *other.watched.best, better);
}

void UnitFound::file(const Candidate& c, Verdict verdict, bool watched_one) {
  skip(verdict, 1, watched_one);
  ++evaluated;
  if (!fits(verdict)) return;
  keep_better(fastest, c, faster);
  if (watched_one) keep_better(watched.fastest, c, faster);
  if (verdict != Verdict::feasible) return;
  frontier.add(c);
  best.add(c, objective);
  if (c.goals.usd_at_other_end > 0) rivals.add(c);
  if (limits.several()) limits.add(c);
  if (keep_shapes_) keep_better(here_, c, more_tokens);
  const auto better = [&](const Candidate& a, const Candidate& b) {
    return preferred(a, b, objective);
  };
  if (c.prompts != Prompts::left_out) keep_better(forms[form_of(c)], c, better);
  if (watched_one) keep_better(watched.best, c, better);
}

void UnitFound::skip(Verdict verdict, std::uint64_t candidates, bool watched_one) {
  add_to(tally, verdict, candidates);
  if (watched_one) add_to(watched.tally, verdict, candidates);
}

void UnitFound::count(Verdict verdict, std::uint64_t candidates) {
  skip(verdict, candidates, false);
  evaluated += candidates;
}

Goals UnitFound::best_of_pools() const {
  if (here_) return here_->goals;
  Goals none;
  none.tokens_per_gpu_s = keep_shapes_ ? -1 : std::numeric_limits<double>::infinity();
  return none;
}

void UnitFound::close_pools() {
  if (keep_shapes_ && here_) keep_most_tokens(shapes, *here_);
  here_.reset();
}

}  // namespace afford
