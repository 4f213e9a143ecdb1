#pragma once
// What a kind of attention counts: its projections, its core, and the facts of the core that a
// kernel's time depends on. Formulas: Step-3 report (arXiv 2507.19427), Section 4; S is the context
// in tokens.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "spec/dtype.hpp"
#include "spec/matrix.hpp"
#include "spec/operation_class.hpp"
#include "units.hpp"

namespace afford {

/// How far back a token attends. Chunked attention restarts at every multiple of `tokens`; the
/// paper charges it as a full chunk, and so do we. Selected: the whole context is kept, the best
/// `tokens` are read.
struct Reach {
  enum class Kind { full, sliding, chunked, selected };
  Kind kind = Kind::full;
  std::int64_t tokens = 0;
};

/// A walk over the context: one entry for every `stride` tokens, as far as `reach` entries.
struct Walk {
  enum class By { query_heads, indexer };  // an indexer has small heads of its own
  double flops = 0, elements = 0;          // of an entry, for one query token; of an entry
  double stride = 1;
  Reach reach{};
  std::optional<Dtype> format{};  // where it is not that of the cache
  By by = By::query_heads;
  bool kept = true;      // false: another layer keeps the entries
  double fp8_extra = 0;  // bytes an entry takes beyond its elements in an FP8 cache
};

/// A recurrent state, read and written once a token whatever the context.
struct State {
  double elements = 0, flops = 0;
};

/// A short convolution: values of a token's earlier inputs that it reads, and of the newest that it
/// writes, in BF16.
struct Convolution {
  double read = 0, written = 0;
};

/// What one layer does with its cache for one query token. At most three walks: the window, the
/// entries beyond, the indexer's keys.
struct Core {
  std::array<Walk, 3> walk{};
  std::size_t walk_count = 0;
  State state{};
  Convolution convolution{};

  [[nodiscard]] std::span<const Walk> walks() const { return {walk.data(), walk_count}; }
  void add(const Walk& another) { walk.at(walk_count++) = another; }
};

/// One layer, one query token.
struct AttentionCount {
  std::vector<Matrix> projections;  // in the order they run, the core before the output maps
  Core core{};
  Stated<double> query_rows;     // query heads that share one KV head: rows of a tile
  Stated<double> kv_heads;       // how far cache and state split over a tensor-parallel group
  Stated<OperationClass> curve;  // the measured kernel the core is closest to
  Stated<double> core_values;    // a token's queries and results, in and out of the core kernel
  Stated<double> core_outputs;   // of a token, that the output maps read
  double groups = 1;             // of Split::groups
  double norm_weights = 0;       // vectors, for the parameter count only
  std::string core_formula{}, cache_formula{};  // in words and numbers, for --explain
};

}  // namespace afford
