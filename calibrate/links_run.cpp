#include "links_run.hpp"

#include <algorithm>
#include <memory>
#include <numeric>
#include <stdexcept>

#include "fabric.hpp"
#include "gpu_streams.hpp"
#include "nccl.hpp"
#include "roofs.hpp"
#include "statistics.hpp"

namespace afford::calibrate {
namespace {

constexpr size_t least_bytes = size_t{4} << 10, most_bytes = size_t{256} << 20,
                 most_peer_bytes = size_t{8} << 20;
constexpr double pattern_scale = 1;

std::vector<int> first_gpus(int count) {
  std::vector<int> gpus(static_cast<size_t>(count));
  std::iota(gpus.begin(), gpus.end(), 0);
  return gpus;
}

class Measurement {
 public:
  Measurement(int gpus, const std::function<void(const LinkPoint&)>& seen)
      : gpus_(gpus), seen_(seen), streams_(first_gpus(gpus)) {
    for (int gpu = 0; gpu < gpus; ++gpu) {
      use_gpu(gpu);
      from_.emplace_back(most_bytes / 2), to_.emplace_back(most_bytes / 2);
      fill_normal(from_.back().data(), from_.back().size(), static_cast<uint64_t>(gpu) + 1,
                  pattern_scale);
      flags_.emplace_back(1);
      flags_.back().zero();
      check(cudaDeviceSynchronize(), "fill");
      values_.push_back(head(from_.back().data(), checked));
    }
  }

  void copies() {
    for (size_t bytes = least_bytes; bytes <= most_bytes; bytes *= 2) {
      const auto copy = [&](int from, int to) {
        use_gpu(from);
        check(cudaMemcpyAsync(at(to_, to), at(from_, from), bytes, cudaMemcpyDefault,
                              streams_.of(from)),
              "copy between GPUs");
      };
      const auto store = [&](int from, int to) {
        use_gpu(from);
        enqueue_store(at(from_, from), at(to_, to), bytes, streams_.of(from));
      };
      const auto both = [](auto one_way) { return [=] { one_way(0, 1), one_way(1, 0); }; };
      const auto arrived = [&] { return same(head(to_[1].data(), checked), values_[0]); };
      add(
          "copy", "copy engine", bytes, [&] { copy(0, 1); }, arrived, 2);
      add("exchange", "copy engine", bytes, both(copy), arrived, 2);
      add(
          "copy", "stores", bytes, [&] { store(0, 1); }, arrived, 2);
      add("exchange", "stores", bytes, both(store), arrived, 2);
    }
  }

  /// What waiting for another GPU's kernel costs beyond waiting for one's own.
  void edges() {
    constexpr int hops = 40;
    use_gpu(0);
    const Event of_0(false);
    const Graph own = streams_.graph([&] {
      use_gpu(0);
      for (int i = 0; i < 2 * hops; ++i) enqueue_nothing(streams_.of(0));
    });
    use_gpu(1);
    const Event of_1(false);
    const Graph across = streams_.graph([&] {
      for (int i = 0; i < hops; ++i) {
        use_gpu(0);
        enqueue_nothing(streams_.of(0));
        of_0.record(streams_.of(0));
        of_0.hold_back(streams_.of(1));
        use_gpu(1);
        enqueue_nothing(streams_.of(1));
        of_1.record(streams_.of(1));
        of_1.hold_back(streams_.of(0));
      }
      use_gpu(0);
    });
    const Timed near = timed(own, 2 * hops), far = timed(across, 2 * hops);
    finish({.operation = "edge",
            .by = "graph",
            .us = far.us - near.us,
            .spread = far.spread,
            .right = true});
  }

  void flags() {
    constexpr int rounds = 500;
    std::vector<double> us;
    for (int i = 0; i < 12; ++i) {
      use_gpu(0);
      const Event start, stop;
      start.record(streams_.of(0));
      for (int gpu = 0; gpu < 2; ++gpu) {
        use_gpu(gpu);
        enqueue_ping({flags_[static_cast<size_t>(gpu)].data(),
                      flags_[static_cast<size_t>(1 - gpu)].data(), i * rounds, rounds, gpu == 0},
                     streams_.of(gpu));
      }
      use_gpu(0);
      stop.record(streams_.of(0));
      if (const double each = stop.since(start) / (2 * rounds); i >= 2) us.push_back(each);
      streams_.synchronise();
    }
    finish({.operation = "flag",
            .by = "flags",
            .us = median(us),
            .spread = spread_of_medians(us, 3),
            .right = true});
  }

  void peer_collectives() {
    PeerCollective collective(gpus_, most_peer_bytes);
    for (size_t bytes = least_bytes; bytes <= most_peer_bytes; bytes *= 2) {
      const auto every = [&](auto one) {
        return [&, one] {
          for (int gpu = 0; gpu < gpus_; ++gpu) {
            use_gpu(gpu);
            one(gpu);
          }
        };
      };
      const auto sum = [&](int gpu) {
        collective.enqueue_sum(gpu, at(from_, gpu), bytes, streams_.of(gpu));
      };
      const auto gather = [&](int gpu) {
        collective.enqueue_gather(gpu, at(from_, gpu), bytes, streams_.of(gpu));
      };
      const auto last = collective.result(gpus_ - 1);
      add(
          "all_reduce", "peer memory", bytes, every(sum),
          [&] { return close(head(last, checked), summed()); }, gpus_);
      const size_t part = bytes / 2 / static_cast<size_t>(gpus_);
      add(
          "all_gather", "peer memory", bytes, every(gather),
          [&] {
            return same(head(last + part * static_cast<size_t>(gpus_ - 1), std::min(part, checked)),
                        values_.back());
          },
          gpus_);
    }
  }

  void nccl_collectives(const Nccl& nccl) {
    const auto n = static_cast<size_t>(gpus_);
    for (size_t bytes = least_bytes; bytes <= most_bytes; bytes *= 2) {
      const size_t all = bytes / 2, part = all / n;  // BF16 values
      const auto group = [&](auto one) {
        return [&, one] {
          nccl.start();
          for (int gpu = 0; gpu < gpus_; ++gpu) one(gpu, streams_.of(gpu));
          nccl.end();
        };
      };
      const auto last = [&] { return to_.back().data(); };
      add(
          "all_reduce", "nccl", bytes, group([&, all](int gpu, cudaStream_t stream) {
            nccl.all_reduce(gpu, at(from_, gpu), at(to_, gpu), all, stream);
          }),
          [&] { return close(head(last(), checked), summed()); }, gpus_);
      add(
          "all_gather", "nccl", bytes, group([&, part](int gpu, cudaStream_t stream) {
            nccl.all_gather(gpu, at(from_, gpu), at(to_, gpu), part, stream);
          }),
          [&] {
            return same(head(last() + part * (n - 1), std::min(part, checked)), values_.back());
          },
          gpus_);
      add(
          "reduce_scatter", "nccl", bytes, group([&, part](int gpu, cudaStream_t stream) {
            nccl.reduce_scatter(gpu, at(from_, gpu), at(to_, gpu), part, stream);
          }),
          [&] { return close(head(to_.front().data(), std::min(part, checked)), summed()); },
          gpus_);
      add(
          "all_to_all", "nccl", bytes, group([&, part](int gpu, cudaStream_t stream) {
            for (int other = 0; other < gpus_; ++other) {
              const size_t at_other = part * static_cast<size_t>(other);
              nccl.send(gpu, from_[static_cast<size_t>(gpu)].data() + at_other, part, other,
                        stream);
              nccl.receive(gpu, to_[static_cast<size_t>(gpu)].data() + at_other, part, other,
                           stream);
            }
          }),
          [&] {
            return same(head(to_.front().data() + part * (n - 1), std::min(part, checked)),
                        values_.back());
          },
          gpus_);
      add(
          "send_recv", "nccl", bytes, group([&, all](int gpu, cudaStream_t stream) {
            nccl.send(gpu, at(from_, gpu), all, (gpu + 1) % gpus_, stream);
            nccl.receive(gpu, at(to_, gpu), all, (gpu + gpus_ - 1) % gpus_, stream);
          }),
          [&] { return same(head(to_[1].data(), std::min(all, checked)), values_[0]); }, gpus_);
    }
  }

  /// What bytes that arrive at GPU 0, or leave it, cost a kernel that reads its memory.
  void contention() {
    use_gpu(0);
    const std::unique_ptr<Work> read = make_read(2e9);
    const Stream reading;
    const Event start, stop;
    constexpr int reads = 20;
    const auto reads_us = [&] {
      use_gpu(0);
      start.record(reading);
      for (int i = 0; i < reads; ++i) read->enqueue(reading, i % read->copies);
      stop.record(reading);
      return stop.since(start);
    };
    (void)reads_us();
    const double alone = reads_us();
    for (const bool arriving : {true, false}) {
      const int from = arriving ? 1 : 0, to = 1 - from;
      use_gpu(from);
      const Event begin, end;
      constexpr int copies = 24;  // of 256 MiB: longer than the reads
      begin.record(streams_.of(from));
      for (int i = 0; i < copies; ++i)
        check(cudaMemcpyAsync(at(to_, to), at(from_, from), most_bytes, cudaMemcpyDefault,
                              streams_.of(from)),
              "copy between GPUs");
      end.record(streams_.of(from));
      const double together = reads_us();
      use_gpu(from);
      const double copied_us = end.since(begin);
      const double moved = static_cast<double>(most_bytes) * copies * together / copied_us;
      const double rate = read->bytes * reads / alone;  // bytes a microsecond
      finish({.operation = arriving ? "read_in" : "read_out",
              .by = "copy engine",
              .bytes = moved,
              .us = together,
              .cost = (together - alone) * rate / moved,
              .right = copied_us > together});
    }
  }

  [[nodiscard]] std::vector<LinkPoint> points() { return std::move(points_); }

 private:
  static constexpr size_t checked = 1024;  // values, of the first part and of the last
  struct Timed {
    double us = 0, spread = 0;
  };

  [[nodiscard]] static __nv_bfloat16* at(const std::vector<DeviceArray<__nv_bfloat16>>& arrays,
                                         int gpu) {
    return arrays[static_cast<size_t>(gpu)].data();
  }
  [[nodiscard]] static std::vector<float> head(const __nv_bfloat16* from, size_t count) {
    std::vector<__nv_bfloat16> raw(count);
    check(cudaMemcpy(raw.data(), from, count * sizeof(raw[0]), cudaMemcpyDeviceToHost),
          "copy to host");
    return {raw.begin(), raw.end()};
  }
  [[nodiscard]] static bool same(const std::vector<float>& have, const std::vector<float>& want) {
    return std::equal(have.begin(), have.end(), want.begin());
  }
  [[nodiscard]] static bool close(const std::vector<float>& have, const std::vector<float>& want) {
    return relative_error(have, {want.begin(),
                                 want.begin() + static_cast<std::ptrdiff_t>(have.size())}) < 1e-2;
  }
  [[nodiscard]] std::vector<float> summed() const {
    std::vector<float> sum(checked, 0);
    for (const std::vector<float>& values : values_)
      for (size_t i = 0; i < checked; ++i) sum[i] += values[i];
    return sum;
  }

  /// Microseconds of one of the `each` operations of a graph.
  [[nodiscard]] Timed timed(const Graph& graph, int each) const {
    constexpr double sample_us = 2000;
    constexpr int samples = 12;
    (void)streams_.time(graph, 2);
    const int times = std::clamp(static_cast<int>(sample_us / streams_.time(graph, 1)), 1, 50);
    std::vector<double> us;
    for (int i = 0; i < samples; ++i) us.push_back(streams_.time(graph, times) / times / each);
    return {median(us), spread_of_medians(us, 3)};
  }

  template <class Enqueue, class Right>
  void add(const char* operation, const char* by, size_t bytes, const Enqueue& enqueue,
           const Right& right, int gpus) {
    for (const auto& to : to_) check(cudaMemset(to.data(), 0xff, bytes), "cudaMemset");
    check(cudaDeviceSynchronize(), "cudaMemset");
    enqueue();  // connections are made at the first call
    streams_.synchronise();
    const bool arrived = right();
    const int each = bytes > (size_t{16} << 20) ? 4 : 20;
    const Graph graph = streams_.graph([&] {
      for (int i = 0; i < each; ++i) enqueue();
    });
    const Timed took = timed(graph, each);
    finish({.operation = operation,
            .by = by,
            .gpus = gpus,
            .bytes = static_cast<double>(bytes),
            .us = took.us,
            .spread = took.spread,
            .right = arrived});
  }

  void finish(const LinkPoint& point) {
    points_.push_back(point);
    seen_(point);
  }

  int gpus_;
  const std::function<void(const LinkPoint&)>& seen_;
  GpuStreams streams_;
  std::vector<DeviceArray<__nv_bfloat16>> from_, to_;
  std::vector<DeviceArray<int>> flags_;
  std::vector<std::vector<float>> values_;  // the first of each GPU's operand
  std::vector<LinkPoint> points_;
};

}  // namespace

LinksRun measure_links(int gpus, const std::function<void(const LinkPoint&)>& seen) {
  LinksRun run;
  Measurement measurement(gpus, seen);
  measurement.edges();
  measurement.flags();
  measurement.copies();
  measurement.contention();
  measurement.peer_collectives();
  try {
    const Nccl nccl(gpus);
    run.nccl = nccl.version();
    measurement.nccl_collectives(nccl);
  } catch (const std::runtime_error& error) {
    run.missing = error.what();
  }
  run.points = measurement.points();
  return run;
}

}  // namespace afford::calibrate
