#pragma once
// The step of a pipeline, added up layer kind by layer kind: one formula for a single deployment
// (step_time()) and for all batches of a search at once, equal to the last bit.

#include <limits>

namespace afford {

/// In seconds. With C = max(M * longest, sum) a layer takes C ("laps"), and the heads of a step
/// delay it by `extra`; the attention pool alone needs `alone` for its own work.
struct StepSum {
  double laps = 0, alone = 0, extra = std::numeric_limits<double>::lowest();

  StepSum() = default;
  StepSum(double head, double micro_batches) : alone(micro_batches * head) {}
  [[nodiscard]] double step() const { return larger(alone, laps + extra); }

  /// What a step takes at least and at most, whatever the layer kinds: the heads delay it by no
  /// less than nothing and no more than all M of them. By throughput (M * longest >= sum) the lap
  /// past a head exceeds the cycle by one head at most, and the other heads the longest stage by (M
  /// - 1) heads; by latency the delay is head + (M - 1)(attention + head) + longest - sum
  /// <= M * head + (M * longest - sum) < M * head. Both ends rise with every time of a stage, and
  /// have room for what sums of a step and those times round, at the sixteenth digit.
  [[nodiscard]] double least() const { return (1 - rounding) * larger(alone, laps); }
  [[nodiscard]] double most(double head, double micro_batches) const {
    return (1 + rounding) * larger(alone, laps + micro_batches * head);
  }
  static constexpr double rounding = 1e-9;

  /// The larger of two; of equal ones the first, as std::max has it.
  [[nodiscard]] static double larger(double a, double b) { return a < b ? b : a; }
};

/// What one layer kind adds to a step of M micro-batches.
struct KindOfStep {
  double layers = 0, micro_batches = 1;

  void add(StepSum& step, double attention, double longest, double sum, double head) const {
    const double m = micro_batches, others = m - 1;
    const double busy = m * longest, cycle = StepSum::larger(busy, sum);
    step.laps += layers * cycle;
    step.alone += layers * m * attention;
    const double heads = others * (attention + head);
    const double passed = sum + head;  // one lap past one head
    const double waiting = heads - others * longest;
    const double throughput = passed - cycle + (0 < waiting ? waiting : 0);
    const double latency = head + heads + longest - sum;
    const bool bound = busy >= sum;  // by throughput
    step.extra = StepSum::larger(StepSum::larger(step.extra, bound ? 0 : head),
                                 bound ? throughput : latency);
  }
};

}  // namespace afford
