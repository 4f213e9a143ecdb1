#pragma once
// What an FFN accelerator does where AFD is cut at the core: like one of a co-located engine
// without its core. The tokens of a replica of the experts are spread over its accelerators, those
// that share experts share their tokens and the projections too; tokens go to the experts of other
// groups and come back.

#include "deploy/shares.hpp"

namespace afford {

/// One layer of one micro-batch of each kind: projections, experts, and what travels between them;
/// and embedding, LM head and sampling.
[[nodiscard]] FfnPart around_core_part(const Disaggregated& deployment, const Setting& setting,
                                       const Placement* placement);
/// The former as operations.
[[nodiscard]] OpList around_core_ops(const Disaggregated& deployment, const Setting& setting,
                                     size_t kind);

}  // namespace afford
