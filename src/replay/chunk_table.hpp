#pragma once
// How long chunks of prompts take in a step.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <vector>

#include "units.hpp"

namespace afford {

/// A chunk is a prompt of its own behind the tokens before it, its prefix, worked off by an earlier
/// step or cached. What its tokens take by themselves depends on all that a step works off
/// together; its attention on its own tokens and its prefix.
///
/// Both are linear between nodes, each worked out when it is first needed: tokens at 1 and at
/// multiples of 64, prefixes at 0, 64 and four to a doubling from there.
class ChunkTable {
 public:
  using Tokens = std::function<Seconds(double tokens)>;
  using Attention = std::function<Seconds(double tokens, double prefix)>;
  ChunkTable(Tokens tokens, Attention attention)
      : tokens_(std::move(tokens)), attention_(std::move(attention)) {}

  /// All tokens of a step's chunks, but for their attention.
  [[nodiscard]] Seconds tokens(double count) {
    return count > 0 ? between(count, all_, tokens_) : Seconds(0);
  }

  /// The attention of one chunk.
  [[nodiscard]] Seconds attention(double count, double prefix) {
    if (!(count > 0)) return Seconds(0);
    const double at = prefix_node(prefix), below = std::floor(at);
    const Seconds low = behind(count, static_cast<std::size_t>(below));
    if (at == below) return low;
    const double left = prefix_at(below), right = prefix_at(below + 1);
    const Seconds high = behind(count, static_cast<std::size_t>(below) + 1);
    return low + (prefix - left) / (right - left) * (high - low);
  }

  /// A prompt by itself.
  [[nodiscard]] Seconds alone(double count, double prefix) {
    return tokens(count) + attention(count, prefix);
  }

 private:
  using Row = std::vector<Seconds>;  // over tokens
  static constexpr double stride = 64, steps_to_doubling = 4;
  static constexpr Seconds unknown{-1};

  /// Which node a prefix is at, a fraction where it is between two.
  [[nodiscard]] static double prefix_node(double prefix) {
    if (prefix <= stride) return std::max(0.0, prefix / stride);
    return 1 + steps_to_doubling * std::log2(prefix / stride);
  }
  [[nodiscard]] static double prefix_at(double node) {
    return node < 1 ? 0 : stride * std::exp2((node - 1) / steps_to_doubling);
  }

  [[nodiscard]] Seconds behind(double count, std::size_t prefix) {
    if (prefix >= rows_.size()) rows_.resize(prefix + 1);
    const double tokens_before = prefix_at(static_cast<double>(prefix));
    return between(count, rows_[prefix],
                   [&](double tokens) { return attention_(tokens, tokens_before); });
  }

  template <class Evaluate>
  [[nodiscard]] static Seconds between(double count, Row& row, const Evaluate& evaluate) {
    const double at = std::floor(count / stride), low = std::max(1.0, at * stride);
    const auto index = static_cast<std::size_t>(at);
    const Seconds first = node(row, index, evaluate);
    if (count <= low) return first;
    const double width = (at + 1) * stride - low;
    return first + (count - low) / width * (node(row, index + 1, evaluate) - first);
  }

  template <class Evaluate>
  [[nodiscard]] static Seconds node(Row& row, std::size_t i, const Evaluate& evaluate) {
    if (i >= row.size()) row.resize(i + 1, unknown);
    if (row[i] < Seconds(0)) row[i] = evaluate(std::max(1.0, static_cast<double>(i) * stride));
    return row[i];
  }

  Tokens tokens_;
  Attention attention_;
  Row all_;
  std::vector<Row> rows_;  // by prefix
};

}  // namespace afford
