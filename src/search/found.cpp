#include "search/found.hpp"

#include <span>

namespace afford {
namespace {

bool preferred(const Candidate& a, const Candidate& b, Objective objective) {
  return counts_money(objective) ? a.goals.usd_per_mtok < b.goals.usd_per_mtok
                                 : a.goals.tokens_per_gpu_s > b.goals.tokens_per_gpu_s;
}

bool faster(const Candidate& a, const Candidate& b) {
  return a.goals.tpot_ms != b.goals.tpot_ms ? a.goals.tpot_ms < b.goals.tpot_ms
                                            : a.ttft_ms < b.ttft_ms;
}

bool more_tokens(const Candidate& a, const Candidate& b) {
  return a.goals.tokens_per_gpu_s > b.goals.tokens_per_gpu_s;
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

void count(Tally& tally, Verdict verdict, std::uint64_t candidates) {
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
    if (each && (!best || preferred(*each, *best, objective))) best = each;
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

void Found::add(const Found& later) {
  frontier.add(later.frontier);
  best.add(later.best, objective);
  for (const auto& [shape, candidate] : later.shapes) keep_most_tokens(shapes, candidate);
  tally += later.tally;
  evaluated += later.evaluated;
  watched.tally += later.watched.tally;
  const auto better = [&](const Candidate& a, const Candidate& b) {
    return preferred(a, b, objective);
  };
  for (size_t i = 0; i < forms.size(); ++i) {
    if (later.forms[i]) keep_better(forms[i], *later.forms[i], better);
  }
  if (later.fastest) keep_better(fastest, *later.fastest, faster);
  if (later.watched.fastest) keep_better(watched.fastest, *later.watched.fastest, faster);
  if (later.watched.best) keep_better(watched.best, *later.watched.best, better);
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
  keep_better(here_, c, more_tokens);
  const auto better = [&](const Candidate& a, const Candidate& b) {
    return preferred(a, b, objective);
  };
  if (c.prompts != Prompts::left_out) keep_better(forms[form_of(c)], c, better);
  if (watched_one) keep_better(watched.best, c, better);
}

void UnitFound::skip(Verdict verdict, std::uint64_t candidates, bool watched_one) {
  count(tally, verdict, candidates);
  if (watched_one) count(watched.tally, verdict, candidates);
}

void UnitFound::close_pools() {
  if (keep_shapes_ && here_) keep_most_tokens(shapes, *here_);
  here_.reset();
}

}  // namespace afford
