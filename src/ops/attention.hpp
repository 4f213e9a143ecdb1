#pragma once
// What one attention layer costs one decoded token, one counting function per kind.
// Formulas: Step-3 report (arXiv 2507.19427), Section 4; S is the context in tokens.

#include <algorithm>
#include <string>

#include "ops/matrix.hpp"
#include "spec/model.hpp"

namespace afford {

/// One layer, one query token. Core FLOPs = flops_per_context_token * reached(S) + state_flops; cache
/// elements moved likewise. Element counts become bytes with the format of the cache.
struct AttentionCount {
  std::vector<Matrix> projections;  // before and after the core
  double flops_per_context_token = 0, elements_per_context_token = 0;
  double state_flops = 0, state_elements = 0;  // of a recurrent state, read and written
  Reach reach;
  double norm_weights = 0;                  // vectors, for the parameter count only
  std::string core_formula, cache_formula;  // in words and numbers, for --explain
};

/// The context tokens a layer touches at context S.
[[nodiscard]] inline double reached(const Reach& reach, double context) {
  return reach.kind == Reach::Kind::full ? context : std::min(context, static_cast<double>(reach.tokens));
}

[[nodiscard]] AttentionCount count_attention(const AttentionShape& shape, std::int64_t hidden,
                                             Convention convention);

/// "GQA 64/4 x 128", "MLA 128 x (512+64)".
[[nodiscard]] std::string describe(const AttentionShape& shape);

}  // namespace afford
