#pragma once
// The part that delta nets and Mamba-2 share: a state per head behind a short convolution.

#include <fmt/core.h>

#include "spec/attention/count.hpp"

namespace afford {

/// A state of rows x columns a head, read and written once a token at `flops_per_element`. The
/// convolution holds kernel - 1 inputs of each channel.
struct ConvolvedState {
  std::int64_t heads = 0, rows = 0, columns = 0, channels = 0, kernel = 0;
  int flops_per_element = 0;
};

/// A delta net's S goes S = S*decay; S += beta*k*(v - S^T k); o = S^T q: 1 + 2 + 2 + 2 FLOPs an
/// element (the report's lightning attention has no delta and 5). Gated Delta Networks, arXiv
/// 2412.06464, equation 10.
inline constexpr int delta_flops_per_element = 7;

[[nodiscard]] inline Core core_of(const ConvolvedState& s) {
  const double state = real(s.heads) * real(s.rows) * real(s.columns);
  Core core;
  core.state = {.elements = state,
                .flops = s.flops_per_element * state + 2 * real(s.kernel) * real(s.channels)};
  core.convolution = {.read = real(s.kernel - 1) * real(s.channels), .written = real(s.channels)};
  return core;
}

[[nodiscard]] inline std::string core_formula(const ConvolvedState& s) {
  return fmt::format("{} x {} heads x {} x {} state + 2 x {} taps x {} channels",
                     s.flops_per_element, s.heads, s.rows, s.columns, s.kernel, s.channels);
}

[[nodiscard]] inline std::string cache_formula(const ConvolvedState& s) {
  return fmt::format("2 (read, write) x {} heads x {} x {}, + {} x {} conv inputs in bf16,",
                     s.heads, s.rows, s.columns, s.kernel, s.channels);
}

/// The taps of the convolution.
[[nodiscard]] inline double tap_weights(const ConvolvedState& s) {
  return real(s.kernel) * real(s.channels);
}

}  // namespace afford
