#pragma once
// The two building blocks of every count, and the counting convention.

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

/// A weight matrix that multiplies every token's vector: inputs x outputs weights, 2 FLOPs each.
struct Matrix {
  std::string_view name;
  std::int64_t inputs = 0, outputs = 0;
};

[[nodiscard]] inline double weights_of(const Matrix& matrix) {
  return static_cast<double>(matrix.inputs) * static_cast<double>(matrix.outputs);
}

[[nodiscard]] inline double weights_of(const std::vector<Matrix>& matrices) {
  double weights = 0;
  for (const Matrix& matrix : matrices) weights += weights_of(matrix);
  return weights;
}

}  // namespace afford
