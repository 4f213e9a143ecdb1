#include "dense_tuning.hpp"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

#include "timing.hpp"

namespace afford::calibrate {
namespace {

const Effort effort{
    .seconds = 0.002, .warm_up = 0.001, .samples = 3, .graph_us = 1000, .graphs = 1};

}  // namespace

int tune(Dense& dense) {
  double least = INFINITY;
  int best = -1;
  for (int i = 0; i < dense.candidates(); ++i) {
    if (!dense.choose(i)) continue;
    const double us = measure_stream(dense, effort).median_us;
    if (us < least) least = us, best = i;
  }
  if (best < 0 || !dense.choose(best)) throw std::runtime_error("no cuBLASLt algorithm runs");
  return best;
}

std::unique_ptr<Dense> DenseTuning::make(const DenseCase& dense) {
  const std::string shape =
      fmt::format("{} {} {} {} {} {} {} {}", static_cast<int>(dense.precision), dense.block_scales,
                  dense.m, dense.n, dense.k, dense.heads, dense.x_width, dense.y_width);
  std::unique_ptr<Dense> product = make_dense(lt_, dense);
  const auto known = fastest_.find(shape);
  if (known == fastest_.end())
    fastest_[shape] = tune(*product);
  else if (!product->choose(known->second))
    fastest_[shape] = tune(*product);
  return product;
}

}  // namespace afford::calibrate
