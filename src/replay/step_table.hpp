#pragma once
// How long a decode step takes and how full the memory is, over the requests in flight and their
// mean context: a grid of evaluations, each made when it is first needed, linear between them.

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "units.hpp"

namespace afford {

/// A decode step. `memory`: what the caches take of the room for them, on the fullest accelerator;
/// above 1 they do not fit.
struct StepPoint {
  Seconds step;
  double memory = 0;
};

class StepTable {
 public:
  using Evaluate = std::function<StepPoint(std::int64_t requests, double context)>;
  explicit StepTable(Evaluate evaluate);

  /// From `context` tokens on, for so many requests: the step there, what a token of mean context
  /// adds, and the context up to which that holds.
  struct Line {
    StepPoint at, slope;
    double until = 0;
  };
  [[nodiscard]] Line line(std::int64_t requests, double context);

 private:
  [[nodiscard]] const StepPoint& node(size_t row, size_t column);

  Evaluate evaluate_;
  std::vector<std::int64_t> requests_;  // of the rows
  std::vector<double> contexts_;        // of the columns
  std::vector<std::optional<StepPoint>> nodes_;
};

}  // namespace afford
