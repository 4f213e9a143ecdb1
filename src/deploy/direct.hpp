#pragma once
// Which deployments a direct runtime runs (layer/direct_stages.hpp): those inside one server, a GPU
// an instance, experts either spread over GPUs or cut over them, routers alone beside the
// attention. Others are taken as of any engine.

#include <optional>

#include "deploy/evaluate.hpp"
#include "layer/direct_stages.hpp"

namespace afford {

/// How the pools share a layer of `shape`, or none.
[[nodiscard]] std::optional<DirectLayout> direct_layout(const Disaggregated& deployment,
                                                        const Setting& setting,
                                                        const LayerShape& shape);
[[nodiscard]] std::optional<DirectLayout> direct_layout(const Colocated& deployment,
                                                        const Setting& setting,
                                                        const LayerShape& shape);

}  // namespace afford
