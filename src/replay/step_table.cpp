#include "replay/step_table.hpp"

#include <algorithm>
#include <cmath>

namespace afford {
namespace {

/// One by one up to 8, then eight to a doubling: a step rises by less than 1 % more than linearly
/// between two.
std::vector<std::int64_t> request_nodes() {
  constexpr std::int64_t most = std::int64_t{1} << 31, single = 8;
  std::vector<std::int64_t> nodes;
  for (std::int64_t n = 1; n <= most; n += std::max<std::int64_t>(1, n / single))
    nodes.push_back(n);
  return nodes;
}

/// Two to a doubling: a step is a sum of largest-of-several terms, each linear in the context.
std::vector<double> context_nodes() {
  constexpr double least = 64, most = 1e9;
  std::vector<double> nodes = {1};
  for (double c = least; c < most; c *= std::sqrt(2.0)) nodes.push_back(std::round(c));
  return nodes;
}

/// The node at or below a value, with another above it.
template <class T>
size_t node_below(const std::vector<T>& nodes, T value) {
  const auto above = std::upper_bound(nodes.begin(), nodes.end(), value);
  const auto at = std::max<std::ptrdiff_t>(above - nodes.begin() - 1, 0);
  return std::min(static_cast<size_t>(at), nodes.size() - 2);
}

StepPoint between(const StepPoint& a, const StepPoint& b, double along) {
  return {a.step + along * (b.step - a.step), a.memory + along * (b.memory - a.memory)};
}

}  // namespace

StepTable::StepTable(Evaluate evaluate)
    : evaluate_(std::move(evaluate)),
      requests_(request_nodes()),
      contexts_(context_nodes()),
      nodes_(requests_.size() * contexts_.size()) {}

const StepPoint& StepTable::node(size_t row, size_t column) {
  std::optional<StepPoint>& at = nodes_[row * contexts_.size() + column];
  if (!at) at = evaluate_(requests_[row], contexts_[column]);
  return *at;
}

StepTable::Line StepTable::line(std::int64_t requests, double context) {
  const size_t row = node_below(requests_, requests), column = node_below(contexts_, context);
  const double low = contexts_[column], width = contexts_[column + 1] - low;
  const double along = real(requests - requests_[row]) / real(requests_[row + 1] - requests_[row]);
  StepPoint left = node(row, column), right = node(row, column + 1);
  if (along > 0) {
    left = between(left, node(row + 1, column), along);
    right = between(right, node(row + 1, column + 1), along);
  }
  const StepPoint slope = {(right.step - left.step) / width, (right.memory - left.memory) / width};
  const double beyond = std::max(context - low, 0.0);
  return {.at = {left.step + beyond * slope.step, left.memory + beyond * slope.memory},
          .slope = slope,
          .until = low + width};
}

}  // namespace afford
