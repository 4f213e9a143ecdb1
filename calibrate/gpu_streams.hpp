#pragma once
// One stream on each of several GPUs, and graphs that go over all of them.

#include <map>

#include "gpu.hpp"
#include "stream.hpp"

namespace afford::calibrate {

class GpuStreams {
 public:
  /// The first GPU's stream is where graphs start and are launched.
  explicit GpuStreams(const std::vector<int>& gpus) : origin_(made_current(gpus.front())) {
    for (const int gpu : gpus) {
      use_gpu(gpu);
      streams_.emplace(gpu, Stream());
      ends_.emplace(gpu, Event(false));
    }
    use_gpu(origin_);
  }

  [[nodiscard]] cudaStream_t of(int gpu) const { return streams_.at(gpu); }
  [[nodiscard]] int origin() const { return origin_; }

  /// A graph of what `enqueue` puts into the streams, which start and end together.
  [[nodiscard]] Graph graph(const std::function<void()>& enqueue) const {
    use_gpu(origin_);
    return Graph(of(origin_), [&] {
      fork_.record(of(origin_));
      for (const auto& [gpu, stream] : streams_)
        if (gpu != origin_) fork_.hold_back(stream);
      enqueue();
      for (const auto& [gpu, stream] : streams_) {
        if (gpu == origin_) continue;
        use_gpu(gpu);
        ends_.at(gpu).record(stream);
        ends_.at(gpu).hold_back(of(origin_));
      }
      use_gpu(origin_);
    });
  }

  /// Microseconds of `times` launches, one behind the other.
  [[nodiscard]] double time(const Graph& graph, int times) const {
    use_gpu(origin_);
    start_.record(of(origin_));
    for (int i = 0; i < times; ++i) graph.launch(of(origin_));
    stop_.record(of(origin_));
    return stop_.since(start_);
  }

  void synchronise() const {
    for (const auto& [gpu, stream] : streams_) check(cudaStreamSynchronize(stream), "GPU work");
  }

 private:
  /// The members after it are made on that GPU.
  static int made_current(int gpu) {
    use_gpu(gpu);
    return gpu;
  }

  int origin_;
  std::map<int, Stream> streams_;
  std::map<int, Event> ends_;
  Event fork_{false}, start_, stop_;
};

}  // namespace afford::calibrate
