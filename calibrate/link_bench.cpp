#include "link_bench.hpp"

#include <algorithm>
#include <numeric>

#include "statistics.hpp"

namespace afford::calibrate {
namespace {

std::vector<int> first_gpus(int count) {
  std::vector<int> gpus(static_cast<size_t>(count));
  std::iota(gpus.begin(), gpus.end(), 0);
  return gpus;
}

std::vector<float> head(const __nv_bfloat16* from, size_t count) {
  std::vector<__nv_bfloat16> raw(count);
  check(cudaMemcpy(raw.data(), from, count * sizeof(raw[0]), cudaMemcpyDeviceToHost),
        "copy to host");
  return {raw.begin(), raw.end()};
}

}  // namespace

LinkBench::LinkBench(int gpus, const std::function<void(const LinkPoint&)>& seen)
    : gpus_(gpus), seen_(seen), streams_(first_gpus(gpus)) {
  constexpr double scale = 1;
  for (int gpu = 0; gpu < gpus; ++gpu) {
    use_gpu(gpu);
    from_.emplace_back(most_link_bytes / 2);
    to_.emplace_back(most_link_bytes / 2);
    fill_normal(from_.back().data(), from_.back().size(), static_cast<uint64_t>(gpu) + 1, scale);
    flags_.emplace_back(1);
    flags_.back().zero();
    check(cudaDeviceSynchronize(), "fill");
    values_.push_back(head(from_.back().data(), checked));
  }
}

bool LinkBench::holds(const __nv_bfloat16* to, int gpu, size_t count) const {
  const std::vector<float> have = head(to, std::min(count, checked));
  return std::equal(have.begin(), have.end(), values_[static_cast<size_t>(gpu)].begin());
}

bool LinkBench::holds_sum(const __nv_bfloat16* to, size_t count) const {
  const std::vector<float> have = head(to, std::min(count, checked));
  std::vector<float> sum(have.size(), 0);
  for (const std::vector<float>& values : values_)
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += values[i];
  return relative_error(have, sum) < 1e-2;
}

void LinkBench::measure(const Transfer& transfer) {
  constexpr size_t few_from = size_t{16} << 20;
  for (const auto& to : to_)
    check(cudaMemset(to.data(), 0xff, std::min(most_link_bytes, transfer.bytes * to_.size())),
          "cudaMemset");
  for (int gpu = 0; gpu < gpus_; ++gpu) {
    use_gpu(gpu);
    check(cudaDeviceSynchronize(), "cudaMemset");
  }
  transfer.enqueue();  // connections are made at the first call
  streams_.synchronise();
  const bool right = transfer.arrived();
  const int each = transfer.bytes > few_from ? 4 : 20;
  const Graph graph = streams_.graph([&] {
    for (int i = 0; i < each; ++i) transfer.enqueue();
  });
  const Timed took = timed(graph, each);
  finish({.operation = transfer.operation,
          .by = transfer.by,
          .gpus = transfer.gpus,
          .bytes = static_cast<double>(transfer.bytes),
          .us = took.us,
          .spread = took.spread,
          .right = right});
}

void LinkBench::finish(const LinkPoint& point) {
  points_.push_back(point);
  seen_(point);
}

LinkBench::Timed LinkBench::timed(const Graph& graph, int each) const {
  constexpr double sample_us = 2000;
  constexpr int samples = 12;
  (void)streams_.time(graph, 2);
  const int times = std::clamp(static_cast<int>(sample_us / streams_.time(graph, 1)), 1, 50);
  std::vector<double> us;
  for (int i = 0; i < samples; ++i) us.push_back(streams_.time(graph, times) / times / each);
  return {median(us), spread_of_medians(us, 3)};
}

}  // namespace afford::calibrate
