#include "link_copies.hpp"

#include <algorithm>
#include <memory>

#include "fabric.hpp"
#include "roofs.hpp"
#include "statistics.hpp"

namespace afford::calibrate {
namespace {

struct OneWay {
  int from = 0, to = 1;
  size_t bytes = 0;
  size_t at = 0;  // values into the room of `to`
};

void enqueue_copy(const LinkBench& bench, const OneWay& way) {
  use_gpu(way.from);
  check(cudaMemcpyAsync(bench.to(way.to) + way.at, bench.from(way.from), way.bytes,
                        cudaMemcpyDefault, bench.streams().of(way.from)),
        "copy between GPUs");
}

void enqueue_stores(const LinkBench& bench, const OneWay& way) {
  use_gpu(way.from);
  enqueue_store(bench.from(way.from), bench.to(way.to) + way.at, way.bytes,
                bench.streams().of(way.from));
}

void enqueue_bulk_copy(const LinkBench& bench, const OneWay& way) {
  use_gpu(way.from);
  enqueue_bulk(bench.from(way.from), bench.to(way.to) + way.at, way.bytes,
               bench.streams().of(way.from));
}

/// What GPU `from` has, into the rooms of GPUs `first` to `last` - 1, as one kernel.
void enqueue_fan(const LinkBench& bench, int from, std::pair<int, int> targets, size_t bytes,
                 size_t at) {
  use_gpu(from);
  std::vector<void*> to;
  for (int gpu = targets.first; gpu < targets.second; ++gpu)
    if (gpu != from) to.push_back(bench.to(gpu) + at);
  enqueue_fan_out(bench.from(from), to, bytes, bench.streams().of(from));
}

/// Microseconds of `reads` kernels, one behind the other, on GPU 0.
class Reader {
 public:
  Reader() : work_(made()) {}
  [[nodiscard]] double bytes() const { return reads * work_->bytes; }
  double us() {
    use_gpu(0);
    start_.record(stream_);
    for (int i = 0; i < reads; ++i) work_->enqueue(stream_, i % work_->copies);
    stop_.record(stream_);
    return stop_.since(start_);
  }

 private:
  static constexpr int reads = 20;
  static std::unique_ptr<Work> made() {
    use_gpu(0);
    return make_read(2e9);
  }

  std::unique_ptr<Work> work_;
  Stream stream_;
  Event start_, stop_;
};

}  // namespace

void measure_copies(LinkBench& bench) {
  const auto one_way = [&](auto enqueue) {
    return [&bench, enqueue](size_t bytes) { enqueue(bench, OneWay{0, 1, bytes}); };
  };
  const auto both_ways = [&](auto enqueue) {
    return [&bench, enqueue](size_t bytes) {
      enqueue(bench, OneWay{0, 1, bytes});
      enqueue(bench, OneWay{1, 0, bytes});
    };
  };
  const auto add = [&](const char* operation, const char* by, size_t bytes, auto enqueue) {
    bench.measure({.operation = operation,
                   .by = by,
                   .bytes = bytes,
                   .enqueue = [=] { enqueue(bytes); },
                   .arrived = [&] { return bench.holds(bench.to(1), 0); }});
  };
  for (size_t bytes = least_link_bytes; bytes <= most_link_bytes; bytes *= 2) {
    add("copy", "copy engine", bytes, one_way(enqueue_copy));
    add("exchange", "copy engine", bytes, both_ways(enqueue_copy));
    add("copy", "stores", bytes, one_way(enqueue_stores));
    add("exchange", "stores", bytes, both_ways(enqueue_stores));
    add("copy", "bulk copies", bytes, one_way(enqueue_bulk_copy));
    add("exchange", "bulk copies", bytes, both_ways(enqueue_bulk_copy));
  }
}

void measure_edge(LinkBench& bench) {
  constexpr int hops = 40;
  const GpuStreams& streams = bench.streams();
  use_gpu(0);
  const Event of_0(false);
  const Graph own = streams.graph([&] {
    use_gpu(0);
    for (int i = 0; i < 2 * hops; ++i) enqueue_nothing(streams.of(0));
  });
  use_gpu(1);
  const Event of_1(false);
  const Graph across = streams.graph([&] {
    for (int i = 0; i < hops; ++i) {
      use_gpu(0);
      enqueue_nothing(streams.of(0));
      of_0.record(streams.of(0));
      of_0.hold_back(streams.of(1));
      use_gpu(1);
      enqueue_nothing(streams.of(1));
      of_1.record(streams.of(1));
      of_1.hold_back(streams.of(0));
    }
    use_gpu(0);
  });
  const LinkBench::Timed near = bench.timed(own, 2 * hops), far = bench.timed(across, 2 * hops);
  bench.finish({.operation = "edge",
                .by = "graph",
                .us = far.us - near.us,
                .spread = far.spread,
                .right = true});
}

void measure_flag(LinkBench& bench) {
  constexpr int rounds = 500;
  const GpuStreams& streams = bench.streams();
  std::vector<double> us;
  for (int i = 0; i < 12; ++i) {
    use_gpu(0);
    const Event start, stop;
    start.record(streams.of(0));
    for (int gpu = 0; gpu < 2; ++gpu) {
      use_gpu(gpu);
      enqueue_ping({bench.flag(gpu), bench.flag(1 - gpu), i * rounds, rounds, gpu == 0},
                   streams.of(gpu));
    }
    use_gpu(0);
    stop.record(streams.of(0));
    if (const double each = stop.since(start) / (2 * rounds); i >= 2) us.push_back(each);
    streams.synchronise();
  }
  bench.finish({.operation = "flag",
                .by = "flags",
                .us = median(us),
                .spread = spread_of_medians(us, 3),
                .right = true});
}

void measure_fans(LinkBench& bench) {
  const int n = bench.gpus(), half = n / 2;
  const auto region = [](int i, size_t bytes) { return static_cast<size_t>(i) * bytes / 2; };
  for (size_t bytes = least_link_bytes; bytes * static_cast<size_t>(n) <= most_link_bytes;
       bytes *= 2) {
    bench.measure({.operation = "fan_out",
                   .by = "stores",
                   .gpus = n,
                   .bytes = bytes,
                   .enqueue =
                       [&] {
                         enqueue_fan(bench, 0, {1, n}, bytes, 0);
                       },
                   .arrived = [&] { return bench.holds(bench.to(n - 1), 0); }});
    bench.measure(
        {.operation = "fan_in",
         .by = "stores",
         .gpus = n,
         .bytes = bytes,
         .enqueue =
             [&] {
               for (int gpu = 1; gpu < n; ++gpu)
                 enqueue_stores(bench, {gpu, 0, bytes, region(gpu, bytes)});
             },
         .arrived = [&] { return bench.holds(bench.to(0) + region(n - 1, bytes), n - 1); }});
    bench.measure(
        {.operation = "pools",
         .by = "stores",
         .gpus = n,
         .bytes = bytes,
         .enqueue =
             [&] {
               for (int gpu = 0; gpu < half; ++gpu)
                 enqueue_fan(bench, gpu, {half, n}, bytes, region(gpu, bytes));
               for (int gpu = half; gpu < n; ++gpu)
                 enqueue_fan(bench, gpu, {0, half}, bytes, region(gpu, bytes));
             },
         .arrived = [&] { return bench.holds(bench.to(0) + region(n - 1, bytes), n - 1); }});
  }
}

void measure_contention(LinkBench& bench) {
  constexpr int all_copies = 36;  // of 256 MiB: longer than the reads
  const int n = bench.gpus(), copies = all_copies / (n - 1);
  Reader reader;
  (void)reader.us();
  const double alone = reader.us();
  for (const bool arriving : {true, false}) {
    std::vector<Event> begins, ends;
    for (int gpu = arriving ? 1 : 0; gpu < (arriving ? n : 1); ++gpu) {
      use_gpu(gpu);
      begins.emplace_back();
      ends.emplace_back();
      const cudaStream_t stream = bench.streams().of(gpu);
      begins.back().record(stream);
      for (int i = 0; i < copies; ++i)
        for (int to = arriving ? 0 : 1; to < (arriving ? 1 : n); ++to)
          enqueue_copy(bench, {gpu, to, most_link_bytes});
      ends.back().record(stream);
    }
    const double together = reader.us();
    double moved = 0, shortest = 1e12;
    for (size_t i = 0; i < begins.size(); ++i) {
      use_gpu(arriving ? static_cast<int>(i) + 1 : 0);
      const double us = ends[i].since(begins[i]);
      const int sent = copies * (arriving ? 1 : n - 1);
      moved += static_cast<double>(most_link_bytes) * sent * together / us;
      shortest = std::min(shortest, us);
    }
    const double rate = reader.bytes() / alone;  // bytes a microsecond
    bench.finish({.operation = arriving ? "read_in" : "read_out",
                  .by = "copy engine",
                  .gpus = n,
                  .bytes = moved,
                  .us = together,
                  .cost = (together - alone) * rate / moved,
                  .right = shortest > together});
  }
}

}  // namespace afford::calibrate
