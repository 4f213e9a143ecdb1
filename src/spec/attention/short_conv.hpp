#pragma once
#include "spec/attention/convolved_state.hpp"
#include "spec/keys.hpp"
#include "spec/limits.hpp"

namespace afford {

/// A gated short convolution (LFM2): what it keeps of the past is the last conv_kernel - 1 inputs
/// of each channel.
struct ShortConv {
  std::int64_t channels = 0, conv_kernel = 0;

  static constexpr std::string_view kind = "short_conv";
  static constexpr auto keys() {
    return std::to_array<Key<ShortConv>>(
        {keys::whole<&ShortConv::channels>("channels", limits::width),
         keys::whole<&ShortConv::conv_kernel>("conv_kernel", limits::conv_kernel),
         keys::format<ShortConv>(keys::state)});
  }
};

/// B, C, x = in(h); y = C * conv(B * x); out(y): 2 FLOPs a tap and 2 for the two gates of each
/// channel. LFM2 report, arXiv 2511.23404, Section 2; transformers, modeling_lfm2.py,
/// Lfm2ShortConv.
[[nodiscard]] inline AttentionCount count(const ShortConv& a, std::int64_t hidden, Convention) {
  const ConvolvedState none{.channels = a.channels, .kernel = a.conv_kernel};
  Core core = core_of(none);
  core.state.flops += 2 * real(a.channels);
  return {.projections = {{"in", hidden, 3 * a.channels, Role::from_hidden, Split::query_heads},
                          {"out", a.channels, hidden, Role::output, Split::query_heads}},
          .core = core,
          .query_rows = 1,
          .kv_heads = real(a.channels),
          .curve = OperationClass::none,
          .core_values = 4 * real(a.channels),
          .core_outputs = real(a.channels),
          .norm_weights = tap_weights(none),
          .core_formula =
              fmt::format("(2 x {} taps + 2 gates) x {} channels", a.conv_kernel, a.channels),
          .cache_formula = fmt::format("{} x {} conv inputs in bf16,", a.conv_kernel, a.channels)};
}

[[nodiscard]] inline std::string text(const ShortConv& a) {
  return fmt::format("short convolution {} x {}", a.conv_kernel, a.channels);
}

}  // namespace afford
