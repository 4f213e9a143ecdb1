#pragma once
// Point to point: copies, stores, flags and edges between GPUs, and what traffic costs a kernel
// that reads memory.

#include "link_bench.hpp"

namespace afford::calibrate {

/// From GPU 0 to 1, and both ways at once.
void measure_copies(LinkBench& bench);
/// What waiting for another GPU's kernel costs beyond waiting for one's own.
void measure_edge(LinkBench& bench);
void measure_flag(LinkBench& bench);
/// One GPU to all others, all others to one, and the first half with the second, both ways: as
/// attention and FFN pools talk.
void measure_fans(LinkBench& bench);
/// What bytes that arrive at GPU 0 from all others, or leave it for them, cost a kernel there that
/// reads its memory.
void measure_contention(LinkBench& bench);

}  // namespace afford::calibrate
