#include "stage_stamps.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "fabric.hpp"
#include "gpu.hpp"
#include "stream.hpp"

namespace afford::calibrate {
namespace {

/// Nanoseconds that the clock of `other` is ahead of that of `first`: of the round of a call and
/// its answer that took least, when it was called against the middle of the round.
double clock_ahead(int first, int other) {
  constexpr int rounds = 200;
  std::vector<Stream> streams;
  std::vector<DeviceArray<int>> flags;
  std::vector<DeviceArray<unsigned long long>> times;
  for (const int gpu : {first, other}) {
    use_gpu(gpu);
    streams.emplace_back();
    flags.emplace_back(1);
    flags.back().zero();
    times.emplace_back(size_t{2} * rounds);
    check(cudaDeviceSynchronize(), "clocks");
  }
  for (size_t i = 0; i < 2; ++i) {
    use_gpu(i == 0 ? first : other);
    enqueue_clock({flags[i].data(), flags[1 - i].data(), 0, rounds, i == 0}, times[i].data(),
                  streams[i]);
  }
  for (const Stream& stream : streams) check(cudaStreamSynchronize(stream), "clocks");
  const std::vector<unsigned long long> calls = times[0].to_host(), called = times[1].to_host();
  double least = std::numeric_limits<double>::infinity(), ahead = 0;
  for (size_t i = 0; i < rounds; ++i) {
    const auto took = static_cast<double>(calls[2 * i + 1] - calls[2 * i]);
    if (took >= least) continue;
    least = took;
    ahead = static_cast<double>(static_cast<long long>(called[i] - calls[2 * i])) - took / 2;
  }
  return ahead;
}

}  // namespace

StageStamps::StageStamps(const std::vector<int>& gpus, size_t most) : most_(most) {
  for (const int gpu : gpus) {
    use_gpu(gpu);
    OfGpu& of = gpus_[gpu];
    of.times = DeviceArray<unsigned long long>(2 * most);
    of.times.zero();
    check(cudaDeviceSynchronize(), "time stamps");
  }
}

void StageStamps::start(const StageSpan& span, cudaStream_t stream) {
  OfGpu& of = gpus_.at(span.gpu);
  if (of.spans.size() == most_) throw std::logic_error("more stages than there are time stamps");
  enqueue_stamp(of.times.data() + 2 * of.spans.size(), stream);
  of.spans.push_back(span);
}

void StageStamps::end(int gpu, cudaStream_t stream) {
  OfGpu& of = gpus_.at(gpu);
  enqueue_stamp(of.times.data() + 2 * of.spans.size() - 1, stream);
}

std::vector<StageSpan> StageStamps::spans() const {
  std::vector<StageSpan> all;
  const int first = gpus_.begin()->first;
  const unsigned long long origin = gpus_.begin()->second.times.to_host().front();
  for (const auto& [gpu, of] : gpus_) {
    const double ahead = gpu == first ? 0 : clock_ahead(first, gpu);
    use_gpu(gpu);
    const std::vector<unsigned long long> times = of.times.to_host();
    const auto us = [&](size_t i) {
      return 1e-3 * (static_cast<double>(static_cast<long long>(times[i] - origin)) - ahead);
    };
    for (size_t i = 0; i < of.spans.size(); ++i) {
      all.push_back(of.spans[i]);
      all.back().start_us = us(2 * i);
      all.back().end_us = us(2 * i + 1);
    }
  }
  return all;
}

}  // namespace afford::calibrate
