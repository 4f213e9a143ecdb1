// How many weights share a scale: by groups of a row, or by blocks of a matrix.
#include <fmt/format.h>

#include "import/formats.hpp"

namespace afford::config {
namespace {

constexpr std::int64_t whole_row = -1;
/// The groups of the quantisers read here have 16 to 2048 weights, their blocks at most 128 x 128.
constexpr yaml::Range group_sizes{8, 1 << 16}, block_sides{1, 1 << 16};

}  // namespace

std::int64_t group_size(Config& in, std::string_view key) {
  if (!in.has(key)) return whole_row;
  const std::int64_t size = in.integer(key, {INT32_MIN, INT32_MAX});
  const bool known = size >= group_sizes.least && size <= group_sizes.most;
  if (size != whole_row && !known)
    in.fail(key, fmt::format("expected -1 (one scale for a row) or a group of {} to {} weights, "
                             "got {}",
                             group_sizes.least, group_sizes.most, size));
  return size;
}

void require_group(Config& in, std::string_view key, std::int64_t of_format,
                   std::string_view format) {
  if (const std::int64_t size = group_size(in, key); in.has(key) && size != of_format)
    in.fail(key, fmt::format("expected {}, the group of {}, got {}", of_format, format, size));
}

std::optional<double> block_size(Config& in, std::string_view key) {
  if (!in.has(key)) return std::nullopt;
  const std::vector<std::int64_t> sides = in.integers(key, block_sides);
  if (sides.size() != 2)
    in.fail(key, fmt::format("expected rows and columns of a block, such as [128, 128], got {}",
                             shown(*in.find(key))));
  const double weights = static_cast<double>(sides[0]) * static_cast<double>(sides[1]);
  if (weights < static_cast<double>(group_sizes.least))
    in.fail(key, fmt::format("expected a block of at least {} weights, got {} x {}",
                             group_sizes.least, sides[0], sides[1]));
  return weights;
}

/// A scale has 32 bits, or the 8 of an exponent alone (DeepSeek-V4). For 128 x 128 weights it is
/// 0.002 bits a weight.
Dtype fp8_in_blocks(Config& in) {
  constexpr double element = 8, wide = 32, exponent = 8, negligible = 0.01;
  const std::optional<double> weights = block_size(in, "weight_block_size");
  if (!weights) return Dtype::fp8;
  const double scale = in.text_or("scale_fmt", "float") == "ue8m0" ? exponent : wide;
  return scale / *weights < negligible ? Dtype::fp8 : stored_bits(element + scale / *weights);
}

}  // namespace afford::config
