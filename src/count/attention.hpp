#pragma once
// What one attention layer costs one decoded token, one counting function per kind.
// Formulas: Step-3 report (arXiv 2507.19427), Section 4; S is the context in tokens.

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "count/matrix.hpp"
#include "spec/model.hpp"

namespace afford {

/// A second walk over the context: one entry for every `stride` tokens, as far as `reach` entries.
struct ContextTerm {
  double flops = 0, elements = 0;  // of an entry
  double stride = 1;
  Reach reach;
  std::optional<Dtype> format;  // where it is not that of the cache
};

/// One layer, one query token. Core FLOPs = flops_per_context_token * reached(S) + the entries of
/// `more`
/// + state_flops; cache elements moved likewise. Element counts become bytes with the format of the
/// cache.
struct AttentionCount {
  std::vector<Matrix> projections;  // before and after the core
  double flops_per_context_token = 0, elements_per_context_token = 0;
  double state_flops = 0, state_elements = 0;  // of a recurrent state, read and written
  Reach reach;
  std::vector<ContextTerm> more;  // at most two: indexer, compressed entries
  double conv_elements =
      0;  // inputs of a short convolution moved, in BF16: kernel - 1 read, 1 written
  double conv_written = 0;                  // of these, the ones written
  bool keeps_cache = true;                  // false: reads the cache of another layer
  double norm_weights = 0;                  // vectors, for the parameter count only
  std::string core_formula, cache_formula;  // in words and numbers, for --explain
};

/// The context tokens a layer touches at context S.
[[nodiscard]] inline double reached(const Reach& reach, double context) {
  return reach.kind == Reach::Kind::full ? context
                                         : std::min(context, static_cast<double>(reach.tokens));
}

/// The entries a layer keeps: what a selecting layer does not read it still holds.
[[nodiscard]] inline double kept(const Reach& reach, double entries) {
  return reach.kind == Reach::Kind::selected ? entries : reached(reach, entries);
}

/// The entries a second walk touches at context S.
[[nodiscard]] inline double reached(const ContextTerm& term, double context) {
  return reached(term.reach, context / term.stride);
}

[[nodiscard]] AttentionCount count_attention(const AttentionShape& shape, std::int64_t hidden,
                                             Convention convention);

/// "GQA 64/4 x 128", "MLA 128 x (512+64)".
[[nodiscard]] std::string describe(const AttentionShape& shape);

}  // namespace afford
