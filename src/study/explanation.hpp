#pragma once
// Where one ideal cost comes from: the share of every part, and the figures it rests on.

#include <string>
#include <vector>

#include "study/ideal.hpp"

namespace afford::study {

/// The cores of one kind of attention, all layers of the kind together.
struct CoreShare {
  const AttentionSpec* attention = nullptr;  // of the model
  double layers = 0;
  bool draft = false;  // of the multi-token prediction module
  AttentionCount formulas;
  Dtype stored = Dtype::fp8;  // format of the cache on the chip
  CoreCount count;
  UsdPerToken compute, memory;  // what FLOPs and what bytes alone would cost; the larger is paid
};

/// A figure of the chip's data sheet, with its source.
struct ChipFigure {
  std::string what, value, source;
  bool estimate = false;
};

struct CostExplanation {
  Cost cost;
  UsdPerToken core, projections;
  std::vector<CoreShare> cores;
  std::vector<ChipFigure> figures;
};
[[nodiscard]] CostExplanation explain(const IdealCase& at);

}  // namespace afford::study
