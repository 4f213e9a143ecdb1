#pragma once
// The building block of every count, and the counting convention.

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace afford {

/// `paper`: the Step-3 report's way of counting, which its Tables 2 to 6 rest on. It counts the MLA
/// value side at kv_rank + rope_dim (576 for DeepSeek-V3), 10 FLOPs per lightning state element,
/// and leaves out router and LM head. `exact`: what a decode step executes. MLA values at kv_rank
/// (512), 5 FLOPs per state element, router and LM head counted in.
enum class Convention { paper, exact };

inline constexpr std::pair<std::string_view, Convention> convention_names[] = {
    {"paper", Convention::paper}, {"exact", Convention::exact}};

[[nodiscard]] constexpr std::string_view name_of(Convention convention) {
  return convention_names[static_cast<int>(convention)].first;
}

/// A member that has no default: an aggregate that leaves it out does not compile.
template <class T>
class Stated {
 public:
  constexpr Stated(T value) : value_(value) {}     // NOLINT(google-explicit-constructor)
  constexpr operator T() const { return value_; }  // NOLINT(google-explicit-constructor)

 private:
  T value_;
};

/// What a projection of the attention reads, and with it when it runs.
enum class Role {
  from_hidden,  // the layer's input: one kernel with its like
  from_rank,    // what a projection before it compressed: a kernel of its own, before the core
  absorbed,     // MLA's key and value up-projection: half before the core, half behind it
  output        // what the core, or the output map before it, puts out
};

/// How far a projection splits over a tensor-parallel group.
enum class Split {
  query_heads,  // evenly: every accelerator has query heads of its own
  kv_heads,     // by heads of the cache, of which there may be fewer than accelerators
  groups,       // by what several heads share and the cache does not hold (Mamba-2's B and C)
  whole         // not at all: it serves all heads
};

/// A weight matrix that multiplies every token's vector: inputs x outputs weights, 2 FLOPs each. A
/// block-diagonal one reads `blocks` vectors of `inputs`, each for its share of the outputs.
struct Matrix {
  std::string_view name;
  std::int64_t inputs = 0, outputs = 0;
  Stated<Role> role;
  Stated<Split> split;
  std::int64_t blocks = 1;
  bool apart = false;  // each layer has its own, also where layers share sets of weights
};

[[nodiscard]] inline double weights_of(const Matrix& matrix) {
  return static_cast<double>(matrix.inputs) * static_cast<double>(matrix.outputs);
}

[[nodiscard]] inline double weights_of(const std::vector<Matrix>& matrices) {
  double weights = 0;
  for (const Matrix& matrix : matrices) weights += weights_of(matrix);
  return weights;
}

/// Values of a token that it reads.
[[nodiscard]] inline double values_read(const Matrix& matrix) {
  return static_cast<double>(matrix.inputs) * static_cast<double>(matrix.blocks);
}

}  // namespace afford
