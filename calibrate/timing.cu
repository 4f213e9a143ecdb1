#include <algorithm>
#include <chrono>

#include "device.hpp"
#include "timing.hpp"

namespace afford::calibrate {
namespace {

class Event {
 public:
  Event() { check(cudaEventCreate(&event_), "cudaEventCreate"); }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  void record(cudaStream_t stream) const { check(cudaEventRecord(event_, stream), "cudaEventRecord"); }
  /// Microseconds from `start` to this event, once it has happened.
  double since(const Event& start) const {
    check(cudaEventSynchronize(event_), "measured work");
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, start.event_, event_), "cudaEventElapsedTime");
    return 1e3 * static_cast<double>(milliseconds);
  }

 private:
  cudaEvent_t event_ = nullptr;
};

class Stream {
 public:
  Stream() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate"); }
  ~Stream() { cudaStreamDestroy(stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  operator cudaStream_t() const { return stream_; }  // NOLINT: a handle is all it is

 private:
  cudaStream_t stream_ = nullptr;
};

/// A graph of `calls` calls of `work` over its input sets in turn.
class CallGraph {
 public:
  CallGraph(Work& work, int calls) {
    const Stream capture;
    check(cudaStreamBeginCapture(capture, cudaStreamCaptureModeThreadLocal), "graph capture");
    for (int i = 0; i < calls; ++i) work.enqueue(capture, i % work.copies);
    cudaGraph_t graph = nullptr;
    check(cudaStreamEndCapture(capture, &graph), "graph capture");
    const cudaError_t status = cudaGraphInstantiate(&graph_, graph, 0);
    cudaGraphDestroy(graph);
    check(status, "cudaGraphInstantiate");
  }
  ~CallGraph() { cudaGraphExecDestroy(graph_); }
  CallGraph(const CallGraph&) = delete;
  CallGraph& operator=(const CallGraph&) = delete;
  void launch(cudaStream_t stream) const { check(cudaGraphLaunch(graph_, stream), "cudaGraphLaunch"); }

 private:
  cudaGraphExec_t graph_ = nullptr;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Timing summary(std::vector<double> us) {
  std::sort(us.begin(), us.end());
  const auto quantile = [&](double q) {
    const double position = q * static_cast<double>(us.size() - 1);
    const size_t low = static_cast<size_t>(position), high = std::min(low + 1, us.size() - 1);
    return us[low] + (position - static_cast<double>(low)) * (us[high] - us[low]);
  };
  return {quantile(0.5), quantile(0.25), quantile(0.75), us.front(), static_cast<int>(us.size())};
}

/// Reads the whole buffer, so that the L2 cache holds its lines, all clean.
__global__ void read_all(const uint4* data, size_t size, uint4* sink) {
  const size_t stride = size_t{gridDim.x} * blockDim.x;
  uint4 sum{};
  for (size_t i = size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < size; i += stride) {
    const uint4 value = data[i];
    sum.x ^= value.x, sum.y ^= value.y, sum.z ^= value.z, sum.w ^= value.w;
  }
  if (sum.x == 0x9e3779b9u && sum.y == 1) *sink = sum;  // never true in practice: keeps the loads
}

/// Holds the stream for long enough that the host has queued what follows.
__global__ void hold(long long nanoseconds) {
  unsigned long long start, now;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(start));
  do {
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
  } while (now - start < static_cast<unsigned long long>(nanoseconds));
}

constexpr size_t clean_bytes = size_t{256} << 20;  // several L2 caches of any Hopper GPU

}  // namespace

Timing measure_stream(Work& work, const Effort& effort) {
  const Stream stream;
  const Event start, stop;
  // One pass over the input sets says how long a call takes; a sample is then a graph of about 2 ms.
  const CallGraph once(work, work.copies);
  once.launch(stream);
  start.record(stream);
  once.launch(stream);
  stop.record(stream);
  const double call_us = stop.since(start) / work.copies;
  const int rounds = std::max(1, static_cast<int>(2000 / (call_us * work.copies)));
  const int calls = std::max(work.copies * rounds, call_us < 20 ? 20 : 1);
  const CallGraph graph(work, calls);
  auto begin = std::chrono::steady_clock::now();
  do {
    graph.launch(stream);
    check(cudaStreamSynchronize(stream), "warm-up");
  } while (seconds_since(begin) < effort.warm_up);
  std::vector<double> us;
  begin = std::chrono::steady_clock::now();
  graph.launch(stream);  // the device is never idle between samples
  while (static_cast<int>(us.size()) < effort.samples || seconds_since(begin) < effort.seconds) {
    start.record(stream);
    graph.launch(stream);
    stop.record(stream);
    us.push_back(stop.since(start) / calls);
  }
  return summary(std::move(us));
}

Timing measure_isolated(Work& work, const Effort& effort) {
  const Stream stream;
  const Event start, stop;
  const DeviceArray<uint4> clean(clean_bytes / sizeof(uint4)), sink(1);
  std::vector<double> us;
  for (int i = 0; i < effort.samples; ++i) {
    read_all<<<1024, 256, 0, stream>>>(clean.data(), clean.size(), sink.data());
    hold<<<1, 1, 0, stream>>>(50'000);
    start.record(stream);
    work.enqueue(stream, i % work.copies);
    stop.record(stream);
    us.push_back(stop.since(start));
  }
  return summary(std::move(us));
}

}  // namespace afford::calibrate
