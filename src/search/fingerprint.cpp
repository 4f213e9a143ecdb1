#include "search/fingerprint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace afford {
namespace {

/// FNV-1a over eight bytes at a time.
class Hash {
 public:
  void add(std::uint64_t value) {
    constexpr std::uint64_t prime = 1099511628211U;
    for (int byte = 0; byte < 8; ++byte) {
      value_ = (value_ ^ (value & 0xFFU)) * prime;
      value >>= 8U;
    }
  }
  void add(double value) { add(std::bit_cast<std::uint64_t>(value)); }
  [[nodiscard]] std::string text() const { return fmt::format("{:016x}", value_); }

 private:
  std::uint64_t value_ = 14695981039346656037U;
};

/// The attention pools that may stand before an FFN pool.
std::vector<const AttentionPool*> fitting(const Enumeration& e, const Space& space,
                                          const Unit& ffn) {
  std::vector<const AttentionPool*> pools;
  for (const AttentionPool& pool : e.attention) {
    if (pair_up(space, pool, ffn)) pools.push_back(&pool);
  }
  return pools;
}

/// One candidate of the unit; which of its pools and batches, `turn` decides.
Candidate candidate_of(const Unit& unit, const Enumeration& e, const Space& space, size_t turn) {
  Candidate c = first_of(unit);
  c.number = 0;
  if (unit.way != Way::disaggregated) {
    const auto& each = space.colocated_micro_batches;
    const auto& batches = e.batches_of(unit.way);
    c.micro_batches = micro_batches_of(unit, each[turn % each.size()]);
    c.batch = batches[turn % batches.size()];
    return c;
  }
  const auto pools = fitting(e, space, unit);
  const AttentionPool& pool = *pools[turn % pools.size()];
  const auto& batches = pool.split == AttentionSplit::tensor ? e.tensor_batches : e.batches;
  c.attention = pool.side;
  c.attention_split = pool.split;
  c.boundary = pool.boundary;
  c.places = space.places;
  c.micro_batches = space.micro_batches[turn % space.micro_batches.size()];
  c.batch = batches[turn % batches.size()] * pool.units * c.micro_batches;
  return c;
}

Verdict verdict_under(Seconds limit, const Samples::Sample& sample) {
  if (!fits(sample.verdict)) return sample.verdict;
  return sample.tpot > limit ? Verdict::slow : Verdict::feasible;
}

void add_goals(Hash& hash, const Samples::Sample& sample, double cost) {
  const Goals& goals = sample.candidate.goals;
  for (const double goal : {goals.tpot_ms, goals.tokens_per_gpu_s, cost}) hash.add(goal);
}

void add_requests(Hash& hash, const WholeRequests& requests) {
  for (const double number : {requests.prompt, requests.output, requests.hit_rate,
                              requests.ttft_limit.value_or(Seconds(0)).base()})
    hash.add(number);
  for (const PrefillPool& pool : requests.pools) {
    hash.add(static_cast<std::uint64_t>(pool.pool.pool.size()));
    for (const double number :
         {pool.time.base(), pool.sending.base(), price_of(pool.pool.pool).base()})
      hash.add(number);
  }
}

}  // namespace

Samples samples_of(const Space& space, const Setting& setting, const std::atomic<bool>* stop) {
  constexpr size_t most_samples = 512, stride = 7;  // prime to the powers of two of batches
  const Enumeration e = enumerate(space, setting, stop);
  Samples out{.candidates = e.candidates, .batches = e.batches, .samples = {}};
  const size_t step = std::max<size_t>(1, e.units.size() / most_samples);
  for (size_t i = 0; i < e.units.size(); i += step) {
    Candidate c = candidate_of(e.units[i], e, space, i * stride);
    const Evaluation evaluation = evaluate(c, space, setting);
    c.goals = goals_of(evaluation);
    c.step = evaluation.step;
    out.samples.push_back({e.units[i].first, c, evaluation.tpot, evaluation.verdict});
  }
  return out;
}

std::string fingerprint(const Samples& samples, const Space& space, const Setting& setting,
                        Objective objective) {
  Hash hash;
  hash.add(samples.candidates);
  hash.add(static_cast<std::uint64_t>(objective));
  hash.add(setting.context);
  hash.add(setting.tpot_limit.base());
  if (space.requests) add_requests(hash, *space.requests);
  for (const std::int64_t batch : samples.batches) hash.add(static_cast<std::uint64_t>(batch));
  for (const Samples::Sample& sample : samples.samples) {
    hash.add(sample.first);
    add_goals(hash, sample, cost_of(sample.candidate, space, setting) / usd_per_mtok);
    hash.add(static_cast<std::uint64_t>(verdict_under(setting.tpot_limit, sample)));
  }
  return hash.text();
}

std::string fingerprint(std::string_view text) {
  Hash hash;
  for (const char c : text) hash.add(static_cast<std::uint64_t>(static_cast<unsigned char>(c)));
  return hash.text();
}

}  // namespace afford
