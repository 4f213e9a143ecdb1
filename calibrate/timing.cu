#include <algorithm>
#include <chrono>

#include "device.hpp"
#include "statistics.hpp"
#include "stream.hpp"
#include "timing.hpp"

namespace afford::calibrate {
namespace {

/// A graph of `calls` calls of `work` over its input sets in turn.
Graph call_graph(Work& work, int calls) {
  const Stream capture;
  return Graph(capture, [&] {
    for (int i = 0; i < calls; ++i) work.enqueue(capture, i % work.copies);
  });
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Timing summary(std::vector<double> us) {
  constexpr size_t windows = 4;
  const double drift = spread_of_medians(us, windows);
  std::sort(us.begin(), us.end());
  return {quantile(us, 0.5),
          quantile(us, 0.25),
          quantile(us, 0.75),
          us.front(),
          static_cast<int>(us.size()),
          0,
          drift};
}

/// The cycle counter of a multiprocessor and the time it was read.
struct ClockReading {
  long long cycles;
  unsigned long long nanoseconds;
};

/// One reading a multiprocessor; a block is so large that each has room for one.
__global__ void read_clocks(ClockReading* readings) {
  if (threadIdx.x != 0) return;
  uint32_t multiprocessor;
  ClockReading now;
  asm volatile("mov.u32 %0, %%smid;" : "=r"(multiprocessor));
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now.nanoseconds));
  now.cycles = clock64();
  readings[multiprocessor] = now;
}

/// Readings of all multiprocessors around a sample, in host memory that the device writes.
class ClockMeter {
 public:
  ClockMeter() : count_(multiprocessors()) {
    allow_shared(read_clocks, shared_bytes);
    check(cudaMallocHost(&readings_, 2 * static_cast<size_t>(count_) * sizeof(ClockReading)),
          "cudaMallocHost");
  }
  ~ClockMeter() { cudaFreeHost(readings_); }
  ClockMeter(const ClockMeter&) = delete;
  ClockMeter& operator=(const ClockMeter&) = delete;

  void before(cudaStream_t stream) { read(stream, readings()); }
  void after(cudaStream_t stream) { read(stream, readings() + count_); }
  /// Megahertz between the two, the median over multiprocessors; zero when none was read twice.
  [[nodiscard]] double mhz() {
    std::vector<double> clocks;
    for (int i = 0; i < count_; ++i) {
      ClockReading &first = readings()[i], &last = readings()[count_ + i];
      if (first.nanoseconds != 0 && last.nanoseconds > first.nanoseconds)
        clocks.push_back(1e3 * static_cast<double>(last.cycles - first.cycles) /
                         static_cast<double>(last.nanoseconds - first.nanoseconds));
      first = last = {};
    }
    return clocks.empty() ? 0 : median(std::move(clocks));
  }

 private:
  static constexpr size_t shared_bytes = size_t{200} << 10;  // of 227 KB: no second block fits

  [[nodiscard]] ClockReading* readings() const { return static_cast<ClockReading*>(readings_); }
  void read(cudaStream_t stream, ClockReading* to) const {
    launch({.blocks = count_, .threads = 32, .shared_bytes = shared_bytes}, stream, read_clocks,
           to);
  }

  int count_;
  void* readings_ = nullptr;
};

/// One sample, of a graph run so many times: its time and clock.
class Sample {
 public:
  void enqueue(cudaStream_t stream, const Graph& graph, int times) {
    clock_.before(stream);
    start_.record(stream);
    for (int i = 0; i < times; ++i) graph.launch(stream);
    stop_.record(stream);
    clock_.after(stream);
    end_.record(stream);
  }
  /// Waits for it.
  [[nodiscard]] double us() const {
    (void)end_.since(start_);
    return stop_.since(start_);
  }
  [[nodiscard]] double mhz() { return clock_.mhz(); }

 private:
  Event start_, stop_, end_;
  ClockMeter clock_;
};

void run_for(double seconds, cudaStream_t stream, const Graph& graph) {
  const auto begin = std::chrono::steady_clock::now();
  do {
    graph.launch(stream);
    graph.launch(stream);
    check(cudaStreamSynchronize(stream), "warm-up");
  } while (seconds_since(begin) < seconds);
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
constexpr int most_calls = 2000;                   // of a graph
constexpr int least_calls = 20;                    // of a graph of short calls
constexpr double short_us = 20;
constexpr int submitted_calls = 1000;

/// Well within what the gates ask for.
bool is_steady(const Timing& timing) { return timing.drift <= 0.02; }

/// Calls of one graph, from the time of one pass over the input sets.
int calls_of(Work& work, double graph_us, cudaStream_t stream) {
  const Event start, stop;
  const Graph once = call_graph(work, work.copies);
  once.launch(stream);
  start.record(stream);
  once.launch(stream);
  stop.record(stream);
  const double call_us = stop.since(start) / work.copies;
  const double wanted = std::min(graph_us / call_us, static_cast<double>(most_calls));
  const int rounds = std::max(1, static_cast<int>(wanted / work.copies));
  return std::max(work.copies * rounds, call_us < short_us ? least_calls : 1);
}

}  // namespace

Timing measure_stream(Work& work, const Effort& effort) {
  const Stream stream;
  const int calls = calls_of(work, effort.graph_us, stream);
  const Graph graph = call_graph(work, calls);
  run_for(effort.warm_up, stream, graph);
  Sample samples[2];
  int queued = 0;
  const auto enqueue = [&] { samples[queued++ % 2].enqueue(stream, graph, effort.graphs); };
  enqueue();
  Timing timing;
  for (int window = 0; window < effort.windows; ++window) {
    std::vector<double> us, mhz;
    const auto begin = std::chrono::steady_clock::now();
    const double seconds = effort.seconds * (window == 0 ? 1 : 2);
    while (static_cast<int>(us.size()) < effort.samples || seconds_since(begin) < seconds) {
      enqueue();
      Sample& oldest = samples[queued % 2];
      us.push_back(oldest.us() / (effort.graphs * calls));
      if (const double clock = oldest.mhz(); clock > 0) mhz.push_back(clock);
    }
    timing = summary(std::move(us));
    timing.sm_clock_mhz = mhz.empty() ? 0 : median(std::move(mhz));
    if (is_steady(timing)) break;
  }
  check(cudaStreamSynchronize(stream), "measured work");
  return timing;
}

Timing measure_isolated(Work& work, const Effort& effort) {
  const Stream stream;
  const Event start, stop;
  const DeviceArray<uint4> clean(clean_bytes / sizeof(uint4)), sink(1);
  std::vector<double> us;
  for (int i = 0; i < effort.samples; ++i) {
    read_all<<<1024, 256, 0, stream>>>(clean.data(), clean.size(), sink.data());
    hold<<<1, 1, 0, stream>>>(50'000);
    check(cudaGetLastError(), "clearing the L2 cache");
    start.record(stream);
    work.enqueue(stream, i % work.copies);
    stop.record(stream);
    us.push_back(stop.since(start));
  }
  return summary(std::move(us));
}

Timing measure_submitted(Work& work, const Effort& effort) {
  const Stream stream;
  const Event start, stop;
  std::vector<double> us;
  const auto begin = std::chrono::steady_clock::now();
  while (static_cast<int>(us.size()) < effort.samples || seconds_since(begin) < effort.seconds) {
    start.record(stream);
    for (int i = 0; i < submitted_calls; ++i) work.enqueue(stream, i % work.copies);
    stop.record(stream);
    us.push_back(stop.since(start) / submitted_calls);
  }
  return summary(std::move(us));
}

}  // namespace afford::calibrate
