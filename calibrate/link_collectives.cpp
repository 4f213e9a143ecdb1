#include "link_collectives.hpp"

#include "fabric.hpp"

namespace afford::calibrate {
namespace {

constexpr size_t most_peer_bytes = size_t{8} << 20;

/// `one(gpu, stream)` on every GPU.
template <class One>
std::function<void()> on_every(const LinkBench& bench, One one) {
  return [&bench, one] {
    for (int gpu = 0; gpu < bench.gpus(); ++gpu) {
      use_gpu(gpu);
      one(gpu, bench.streams().of(gpu));
    }
  };
}

/// As one group of NCCL's.
template <class One>
std::function<void()> grouped(const LinkBench& bench, const Nccl& nccl, One one) {
  return [&bench, &nccl, one] {
    nccl.start();
    for (int gpu = 0; gpu < bench.gpus(); ++gpu) one(gpu, bench.streams().of(gpu));
    nccl.end();
  };
}

/// One size of NCCL's collectives, in BF16 values.
struct NcclSize {
  LinkBench& bench;
  const Nccl& nccl;
  size_t bytes, all = bytes / 2, n = static_cast<size_t>(bench.gpus()), part = all / n;

  template <class One>
  void add(const char* operation, One one, std::function<bool()> arrived) const {
    bench.measure({.operation = operation,
                   .by = "nccl",
                   .gpus = bench.gpus(),
                   .bytes = bytes,
                   .enqueue = grouped(bench, nccl, one),
                   .arrived = std::move(arrived)});
  }
  [[nodiscard]] int last() const { return bench.gpus() - 1; }

  void reductions() const {
    add(
        "all_reduce",
        [this](int gpu, cudaStream_t stream) {
          nccl.all_reduce(gpu, bench.from(gpu), bench.to(gpu), all, stream);
        },
        [this] { return bench.holds_sum(bench.to(last())); });
    add(
        "reduce_scatter",
        [this](int gpu, cudaStream_t stream) {
          nccl.reduce_scatter(gpu, bench.from(gpu), bench.to(gpu), part, stream);
        },
        [this] { return bench.holds_sum(bench.to(0), part); });
  }
  void exchanges() const {
    add(
        "all_gather",
        [this](int gpu, cudaStream_t stream) {
          nccl.all_gather(gpu, bench.from(gpu), bench.to(gpu), part, stream);
        },
        [this] { return bench.holds(bench.to(last()) + part * (n - 1), last(), part); });
    add(
        "all_to_all",
        [this](int gpu, cudaStream_t stream) {
          for (int other = 0; other < bench.gpus(); ++other) {
            const size_t at = part * static_cast<size_t>(other);
            nccl.send(gpu, bench.from(gpu) + at, part, other, stream);
            nccl.receive(gpu, bench.to(gpu) + at, part, other, stream);
          }
        },
        [this] { return bench.holds(bench.to(0) + part * (n - 1), last(), part); });
    add(
        "send_recv",
        [this](int gpu, cudaStream_t stream) {
          const int gpus = bench.gpus();
          nccl.send(gpu, bench.from(gpu), all, (gpu + 1) % gpus, stream);
          nccl.receive(gpu, bench.to(gpu), all, (gpu + gpus - 1) % gpus, stream);
        },
        [this] { return bench.holds(bench.to(1), 0); });
  }
};

}  // namespace

void measure_peer_collectives(LinkBench& bench) {
  const int n = bench.gpus();
  PeerCollective collective(n, most_peer_bytes);
  const __nv_bfloat16* last = collective.result(n - 1);
  for (size_t bytes = least_link_bytes; bytes <= most_peer_bytes; bytes *= 2) {
    const size_t part = bytes / 2 / static_cast<size_t>(n);
    bench.measure({.operation = "all_reduce",
                   .by = "peer memory",
                   .gpus = n,
                   .bytes = bytes,
                   .enqueue = on_every(bench,
                                       [&](int gpu, cudaStream_t stream) {
                                         collective.enqueue_sum(gpu, bench.from(gpu), bytes,
                                                                stream);
                                       }),
                   .arrived = [&] { return bench.holds_sum(last); }});
    bench.measure({.operation = "all_gather",
                   .by = "peer memory",
                   .gpus = n,
                   .bytes = bytes,
                   .enqueue = on_every(bench,
                                       [&](int gpu, cudaStream_t stream) {
                                         collective.enqueue_gather(gpu, bench.from(gpu), bytes,
                                                                   stream);
                                       }),
                   .arrived = [&] {
                     return bench.holds(last + part * static_cast<size_t>(n - 1), n - 1, part);
                   }});
  }
}

void measure_nccl_collectives(LinkBench& bench, const Nccl& nccl) {
  for (size_t bytes = least_link_bytes; bytes <= most_link_bytes; bytes *= 2) {
    const NcclSize size{bench, nccl, bytes};
    size.reductions();
    size.exchanges();
  }
}

}  // namespace afford::calibrate
