#pragma once
// What prompts need beside the servers that decode.

#include "deploy/evaluate.hpp"
#include "plan/workload.hpp"

namespace afford {

/// Servers of a chip that the prompts of the peak hours keep busy, on average: rate times the mean
/// of prompt_time() over their lengths, which grows with a prompt and with its square. Experts are
/// split over the server, else every matrix is sharded over it.
[[nodiscard]] double prompt_servers(const Traffic& traffic, const HardwareSpec& chip,
                                    const Setting& setting);

}  // namespace afford
