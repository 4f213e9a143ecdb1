#pragma once
// Operations as a layer has them, whatever its batch: what of them grows with the tokens, and how.

#include "kernels/attention_core.hpp"
#include "kernels/collective.hpp"
#include "kernels/dense.hpp"
#include "kernels/small.hpp"

namespace afford {

/// Rows for so many tokens: those of `times` accelerators, a `part` of them, one `ways`th.
struct Rows {
  double times = 1, part = 1, ways = 1;
  [[nodiscard]] double of(double tokens) const { return tokens * times * part / ways; }
};

/// Bytes for so many tokens: `values` a row, one `over`th of them, of `bytes` each.
struct Moved {
  Rows rows;
  double values = 0, over = 1, bytes = 1;
  [[nodiscard]] Bytes of(double tokens) const {
    return Bytes(rows.of(tokens) * values / over * bytes);
  }
};
/// Bytes of a number of this format, of which products are or which stands between kernels.
[[nodiscard]] inline double bytes_of(Dtype format) { return bits_of(format) / 8; }

struct DenseShape {
  std::string_view name;
  double inputs = 0, outputs = 0;
  Dtype weights = Dtype::bf16, compute = Dtype::bf16;
  double kernels = 1;
  Rows rows;
  Moved in, out;
  /// Activations.
  [[nodiscard]] Bytes moved(double tokens) const { return in.of(tokens) + out.of(tokens); }
  [[nodiscard]] DenseProduct of(double tokens) const {
    return {.name = name,
            .rows = rows.of(tokens),
            .inputs = inputs,
            .outputs = outputs,
            .weights = weights,
            .compute = compute,
            .activations = moved(tokens),
            .kernels = kernels};
  }
};

struct SmallShape {
  std::string_view name;
  Moved moved;
  double kernels = 1;
  [[nodiscard]] SmallKernels of(double tokens) const {
    return {.name = name, .bytes = moved.of(tokens), .kernels = kernels};
  }
};

struct CollectiveShape {
  std::string_view name;
  Moved moved;
  std::int64_t among = 1;
  bool hidden = false;
  [[nodiscard]] Collective of(double tokens) const {
    return {.name = name, .bytes = moved.of(tokens), .among = among, .hidden = hidden};
  }
};

/// A collective over a group, which ends or begins as an all-reduce does or is one.
struct GroupShape {
  using Kind = Op (*)(const GroupCollective&, const Machine&);
  Kind kind = all_reduce;
  std::string_view name;
  Moved vector;
  Group group;
  bool hidden = false;
  [[nodiscard]] GroupCollective of(double tokens) const {
    return {.name = name, .vector = vector.of(tokens), .group = group, .hidden = hidden};
  }
};

}  // namespace afford
