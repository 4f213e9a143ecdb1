#include "links_run.hpp"

#include <stdexcept>

#include "link_collectives.hpp"
#include "link_copies.hpp"

namespace afford::calibrate {
namespace {

/// 2, 4, .. and `gpus` itself.
std::vector<int> counts_up_to(int gpus) {
  std::vector<int> counts;
  for (int count = 2; count < gpus; count *= 2) counts.push_back(count);
  counts.push_back(gpus);
  return counts;
}

void measure_among(LinkBench& bench, LinksRun& run) {
  if (bench.gpus() == 2) {
    measure_edge(bench);
    measure_flag(bench);
    measure_copies(bench);
  } else {
    measure_fans(bench);
  }
  measure_contention(bench);
  measure_peer_collectives(bench);
  try {
    const Nccl nccl(bench.gpus());
    run.nccl = nccl.version();
    measure_nccl_collectives(bench, nccl);
  } catch (const std::runtime_error& error) {
    run.missing = error.what();
  }
}

}  // namespace

LinksRun measure_links(int gpus, const std::function<void(const LinkPoint&)>& seen) {
  LinksRun run;
  for (const int count : counts_up_to(gpus)) {
    LinkBench bench(count, seen);
    measure_among(bench, run);
    const std::vector<LinkPoint> points = bench.points();
    run.points.insert(run.points.end(), points.begin(), points.end());
  }
  return run;
}

}  // namespace afford::calibrate
