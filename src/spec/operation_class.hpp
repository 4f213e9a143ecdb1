#pragma once
// The kinds of operation that a calibration measures curves of.

namespace afford {

enum class OperationClass { mfa_decode, gqa_decode, mla_decode, grouped_gemm, dense, none };

}  // namespace afford
