#pragma once
// Every layout of an engine that is worth trying on a pool.

#include <vector>

#include "deploy/layout.hpp"

namespace afford {

/// One engine on the whole pool. Attention is tensor-parallel within a server or over all of a
/// stage; experts are in groups, sharded as wide as a stage, as attention or as a server, or both;
/// stages are any that divide the pool. A dense model is sharded over its stage: data parallelism
/// is another engine. Only what objection() has nothing against; `redundant` as there.
[[nodiscard]] std::vector<Layout> layouts_of(const Pool& pool, const ModelSpec& model,
                                             std::int64_t redundant = 0);

/// One accelerator, its doubles as far as a server goes, then whole servers up to `most`
/// accelerators: as many as are joined where the chip states no NIC.
[[nodiscard]] std::vector<Pool> pools_of(const HardwareSpec& chip, std::int64_t most);

}  // namespace afford
