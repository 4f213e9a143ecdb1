#pragma once
// The limits everything else is put beside: memory and L2 bandwidth, tensor-core throughput, launch
// costs.

#include <memory>

#include "work.hpp"

namespace afford::calibrate {

/// Reads `bytes` of device memory by bulk copies into a ring of 192 KB of shared memory, one block
/// a multiprocessor. What the attention and MoE kernels could reach at best. All throw CudaError.
[[nodiscard]] std::unique_ptr<Work> make_read(double bytes);
/// As make_read, but every block reads one contiguous part, as attention does with the cache of a
/// request.
[[nodiscard]] std::unique_ptr<Work> make_read_parts(double bytes);
/// Writes `bytes` by bulk copies out of shared memory.
[[nodiscard]] std::unique_ptr<Work> make_write(double bytes);
/// Copies bytes / 2 through the ring: `bytes` are read and written in all.
[[nodiscard]] std::unique_ptr<Work> make_copy(double bytes);
/// Reads the same `resident` bytes again and again, as many as make `bytes` at least; Work::bytes
/// has how many. They stay in the L2 cache.
[[nodiscard]] std::unique_ptr<Work> make_l2_read(double resident, double bytes);

/// Multiplies random operands in shared memory (two warpgroups of 64 x 256 tiles a multiprocessor)
/// without touching device memory.
[[nodiscard]] std::unique_ptr<Work> make_tensor(Precision precision);

/// An empty kernel of one block a multiprocessor; dependent: it may start before its predecessor
/// has ended, and waits for it.
[[nodiscard]] std::unique_ptr<Work> make_empty(bool dependent);

}  // namespace afford::calibrate
