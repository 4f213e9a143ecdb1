#include "search/prompt_forms.hpp"

#include <algorithm>

#include "deploy/prompts.hpp"

namespace afford {
namespace {

std::int64_t gpus_of(const Candidate& c) {
  return c.attention.size() + (c.way == Way::disaggregated ? c.ffn.size() : 0);
}

bool fits_in_memory(const StepOutcome& outcome) {
  return outcome.verdict == Verdict::feasible || outcome.verdict == Verdict::slow;
}

}  // namespace

std::uint64_t prompt_forms(const Space& space, Way way) {
  if (!space.requests) return 1;
  return space.requests->pools.size() + (way == Way::disaggregated ? 0 : 1);
}

PromptForms::PromptForms(const Candidate& candidate, const Space& space, const Setting& setting)
    : space_(space),
      requests_(*space.requests),
      forms_(prompt_forms(space, candidate.way)),
      gpus_(real(gpus_of(candidate))),
      steps_(requests_.output / tokens_per_step(setting.speculation)),
      launches_(prompt_launches(setting)),
      first_token_(setting.engine.time.prompts.first_token),
      tpot_limit_(setting.tpot_limit) {
  if (candidate.way == Way::disaggregated) return;
  PromptLoad load = prompt_load(layout_of(candidate));
  load.cached = requests_.cached();
  load.prompt = requests_.prompt - load.cached;
  const HardwareSpec& chip = (*space.chips)[candidate.attention.chip];
  prompt_ = prompt_time(setting, chip, load);
}

void PromptForms::take(Candidate& candidate, std::uint64_t form) const {
  const bool apart = form < requests_.pools.size();
  candidate.prompts = apart ? Prompts::apart : Prompts::beside_tokens;
  candidate.prompt_pool = apart ? static_cast<std::uint32_t>(form) : 0;
}

WholeOutcome PromptForms::of(const Candidate& candidate, const StepOutcome& decoding) const {
  WholeOutcome out = candidate.prompts == Prompts::apart
                         ? apart(requests_.pools[candidate.prompt_pool], decoding)
                         : beside(candidate, decoding);
  const bool late = requests_.ttft_limit && out.ttft > *requests_.ttft_limit;
  if (fits_in_memory(out))
    out.verdict = late || out.tpot > tpot_limit_ ? Verdict::slow : Verdict::feasible;
  return out;
}

WholeOutcome PromptForms::apart(const PrefillPool& pool, const StepOutcome& decoding) const {
  WholeOutcome out{decoding};
  const double requests_per_s = gpus_ * decoding.tokens_per_gpu.base() / requests_.output;
  out.prompt_gpus = requests_per_s * pool.time.base() * real(pool.pool.pool.size());
  out.tokens_per_gpu = gpus_ / (gpus_ + out.prompt_gpus) * decoding.tokens_per_gpu;
  out.prompt_cost = price_of(pool.pool.pool) * pool.time / Tokens(requests_.output);
  out.cost = decoding.cost + out.prompt_cost;
  out.ttft = pool.time + pool.sending + first_token_ * decoding.step;
  return out;
}

WholeOutcome PromptForms::beside(const Candidate& candidate, const StepOutcome& decoding) const {
  WholeOutcome out{decoding};
  const Colocated pool = colocated(candidate, space_);
  const PromptLoad load{.requests = real(pool.batch) / real(pool.engines()), .output = steps_};
  out.step = decoding.step + interruption(joining(load), prompt_, launches_);
  out.tpot = out.step / decoding.step * decoding.tpot;
  // A request's own prompt comes before its tokens: none of them waits for it, but it takes time.
  const Seconds prompts = interruption(load.requests / load.output, prompt_, launches_);
  const double longer = (decoding.step + prompts) / decoding.step;
  out.tokens_per_gpu = decoding.tokens_per_gpu / longer;
  out.cost = longer * decoding.cost;
  out.prompt_cost = out.cost - decoding.cost;
  out.ttft = around_prompt(launches_, first_token_, decoding.step) + prompt_;
  return out;
}

WholeOutcome whole_outcome(const Candidate& candidate, const Space& space, const Setting& setting) {
  const StepOutcome decoding = evaluate(candidate, space, setting);
  return PromptForms(candidate, space, setting).of(candidate, decoding);
}

}  // namespace afford
