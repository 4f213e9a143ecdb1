#pragma once
// What afford-calibrate measures and checks. Host code without CUDA, so that it is tested
// everywhere.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "calibration/point.hpp"

namespace afford::calibrate {

/// One operation to measure: its shape as the point records it, and what the shape alone does not
/// say.
struct Case {
  Point point;               // operation, precision, tag and shape; nothing measured yet
  std::vector<int> lengths;  // attention: KV tokens of each request
  std::vector<int> tokens;   // MoE: of each expert, also those without any
  double resident = 0;       // l2_read: bytes of the set that stays in the cache
};

/// Every operation name, in the order in which they are measured.
[[nodiscard]] std::span<const std::string_view> operations();

/// Into the order in which they are measured.
void sort_by_operation(std::vector<Case>& cases);

/// The points of a full calibration, roofs first.
[[nodiscard]] std::vector<Case> calibration_cases();

/// Of each operation and precision at most `most` cases (two or more), evenly from the first to the
/// last.
[[nodiscard]] std::vector<Case> thin(const std::vector<Case>& cases, size_t most);

/// The cases of these operations, and the roofs that every gate needs: read and tensor.
[[nodiscard]] std::vector<Case> only(const std::vector<Case>& cases,
                                     std::span<const std::string> names);

/// The roofs that are measured again at the end: one read, both tensor precisions.
[[nodiscard]] std::vector<Case> closing_roofs();

/// What calibrate/beside.py puts beside other kernels: attention, expert networks, the library's
/// products of the same experts, and the roofs.
[[nodiscard]] std::vector<Case> beside_cases();

/// Shapes that break kernels: odd lengths, one token, single experts, empty experts, skew, pages.
[[nodiscard]] std::vector<Case> verification_cases();

/// "batch 16, context 4096", "6 experts, 192 tokens", "128 x 7168 x 2560", "0.5 GB".
[[nodiscard]] std::string shape_text(const Point& point);

/// Lengths spread evenly on a logarithmic scale from mean / 4 to about 2.4 x mean; the same every
/// time.
[[nodiscard]] std::vector<int> mixed_lengths(int batch, int mean);
/// Tokens of experts with popularity falling as 1 / sqrt(rank), together experts x mean.
[[nodiscard]] std::vector<int> skewed_tokens(int experts, int mean);

}  // namespace afford::calibrate
