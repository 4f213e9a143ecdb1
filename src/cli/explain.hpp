#pragma once
// --explain: the way from shapes and sources to one number.

#include <string>

#include "cli/args.hpp"

namespace afford::cli {

/// One cell of a study. The pointers are never null.
struct CostCase {
  const ModelSpec* model = nullptr;
  const DecodeTerms* terms = nullptr;  // of the model
  const HardwareSpec* chip = nullptr;
  std::int64_t context = 0;
};

/// Formulas with their inputs, what binds, and the source of every input, as indented lines.
[[nodiscard]] std::string explain(const CostCase& at, const Study& study);

}  // namespace afford::cli
