#pragma once
// Collectives among all GPUs of a bench: our own, and NCCL's.

#include "link_bench.hpp"
#include "nccl.hpp"

namespace afford::calibrate {

void measure_peer_collectives(LinkBench& bench);
/// `nccl` is among as many GPUs.
void measure_nccl_collectives(LinkBench& bench, const Nccl& nccl);

}  // namespace afford::calibrate
