#pragma once
// The classes of operation that a calibration measures curves of, and the precisions it measures
// them in: one row each. The arrays that hold curves, the words of files, their readers and the
// fits follow from these two tables.

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "spec/dtype.hpp"

namespace afford {

/// In the order in which they are fitted: a class borrows from those before it. `none`: no kernel
/// of ours comes near.
enum class OperationClass {
  mla_decode,
  mfa_decode,
  gqa_decode,
  grouped_gemm,
  dense,
  mla_prefill,
  mfa_prefill,
  gqa_prefill,
  none
};

/// What of an operation its time depends on: calibration/operation_work.hpp.
enum class WorkKind { decode_core, grouped_gemm, dense_gemm, prefill_core };

struct OperationClassRow {
  OperationClass operation;
  std::string_view name;  // in calibration files
  WorkKind work;
  std::array<std::string_view, 3> points;  // the operations of a table of points that feed it
  /// Whose compute fraction stands in where the measured chip never lets compute bind this class.
  OperationClass computes_like = OperationClass::none;
};

inline constexpr auto operation_classes = std::to_array<OperationClassRow>({
    {OperationClass::mla_decode, "mla_decode", WorkKind::decode_core, {"mla_decode"}},
    {OperationClass::mfa_decode,
     "mfa_decode",
     WorkKind::decode_core,
     {"mfa_decode"},
     OperationClass::mla_decode},
    {OperationClass::gqa_decode,
     "gqa_decode",
     WorkKind::decode_core,
     {"gqa_decode"},
     OperationClass::mla_decode},
    {OperationClass::grouped_gemm,
     "grouped_gemm",
     WorkKind::grouped_gemm,
     {"moe_ffn", "moe_gate_up", "moe_down"}},
    {OperationClass::dense, "dense", WorkKind::dense_gemm, {"dense"}},
    {OperationClass::mla_prefill, "mla_prefill", WorkKind::prefill_core, {"mla_prefill"}},
    {OperationClass::mfa_prefill, "mfa_prefill", WorkKind::prefill_core, {"mfa_prefill"}},
    {OperationClass::gqa_prefill, "gqa_prefill", WorkKind::prefill_core, {"gqa_prefill"}},
});

/// Format and scaling of a kernel's operands. fp8: one scale a tensor; fp8_128: scales for blocks
/// of 128 values along K; fp8_cache: a cache in FP8 with such scales, whose products are in BF16.
enum class OperandPrecision { bf16, fp8, fp8_128, fp8_cache };

struct OperandPrecisionRow {
  OperandPrecision precision;
  std::string_view name;  // in calibration files and tables of points
  Dtype tensor;           // on whose tensor roof its products run
};

inline constexpr auto operand_precisions = std::to_array<OperandPrecisionRow>({
    {OperandPrecision::bf16, "bf16", Dtype::bf16},
    {OperandPrecision::fp8, "fp8", Dtype::fp8},
    {OperandPrecision::fp8_128, "fp8_128", Dtype::fp8},
    {OperandPrecision::fp8_cache, "fp8_cache", Dtype::bf16},
});

namespace detail {
template <class Rows, class Member>
constexpr bool stands_at_its_index(const Rows& rows, Member member) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (static_cast<std::size_t>(rows[i].*member) != i) return false;
  }
  return true;
}
}  // namespace detail
static_assert(operation_classes.size() == static_cast<std::size_t>(OperationClass::none),
              "every class has a row");
static_assert(detail::stands_at_its_index(operation_classes, &OperationClassRow::operation));
static_assert(detail::stands_at_its_index(operand_precisions, &OperandPrecisionRow::precision));

/// The row of a class other than `none`.
[[nodiscard]] constexpr const OperationClassRow& row_of(OperationClass operation) {
  return operation_classes[static_cast<std::size_t>(operation)];
}
[[nodiscard]] constexpr const OperandPrecisionRow& row_of(OperandPrecision precision) {
  return operand_precisions[static_cast<std::size_t>(precision)];
}
[[nodiscard]] constexpr std::string_view name_of(OperationClass operation) {
  return operation == OperationClass::none ? "none" : row_of(operation).name;
}
[[nodiscard]] constexpr std::string_view name_of(OperandPrecision precision) {
  return row_of(precision).name;
}

/// The class that points of this operation feed; `none`: those of a roof.
[[nodiscard]] constexpr OperationClass class_fed_by(std::string_view operation) {
  for (const OperationClassRow& row : operation_classes) {
    for (const std::string_view point : row.points) {
      if (!point.empty() && point == operation) return row.operation;
    }
  }
  return OperationClass::none;
}

/// The precision of that name, or nothing.
[[nodiscard]] constexpr std::optional<OperandPrecision> operand_precision(std::string_view name) {
  for (const OperandPrecisionRow& row : operand_precisions) {
    if (row.name == name) return row.precision;
  }
  return std::nullopt;
}

}  // namespace afford
