#include "deploy/direct.hpp"

namespace afford {
namespace {

bool in_one_server(std::int64_t accelerators, const HardwareSpec& chip) {
  return accelerators <= chip.server_accelerators.value &&
         accelerators <= chip.scale_up_accelerators.value;
}

}  // namespace

std::optional<DirectLayout> direct_layout(const Disaggregated& d, const Setting& setting,
                                          const LayerShape& shape) {
  if (!setting.engine_of_pools().runtime.there()) return std::nullopt;
  const Machine machine(*d.attention.chip, setting.engine_of_pools(), setting.residual);
  const std::int64_t gpus = d.attention.size() + d.ffn.size();
  const FfnSplit split =
      d.ffn_split.tensor > 0 ? d.ffn_split : FfnSplit{d.ffn.accelerators, d.ffn.instances};
  const bool one_gpu_each = d.attention.accelerators == 1 && d.ffn.accelerators == 1;
  const bool one_way =
      split.tensor * split.expert == d.ffn.size() && (split.tensor == 1 || split.expert == 1);
  const bool as_ever = d.boundary == Boundary::attention && d.places == Places();
  if (!runs_direct(machine, shape) || !as_ever || !one_gpu_each || !one_way ||
      d.attention.chip->name != d.ffn.chip->name || !in_one_server(gpus, *d.attention.chip))
    return std::nullopt;
  return DirectLayout{.ffn = real(d.ffn.size()), .tensor = split.tensor > 1};
}

std::optional<DirectLayout> direct_layout(const Colocated& c, const Setting& setting,
                                          const LayerShape& shape) {
  if (!setting.engine.runtime.there()) return std::nullopt;
  const Machine machine(*c.pool.chip, setting.engine, setting.residual);
  const Layout& layout = c.layout;
  const bool one_way = layout.expert_ep == 1 || layout.expert_tp == 1;
  const bool routed = shape.ffn.router_outputs > 0;
  if (!routed || !runs_direct(machine, shape) || layout.attention_tp > 1 || layout.pp > 1 ||
      !one_way || !in_one_server(layout.size(), *c.pool.chip))
    return std::nullopt;
  return DirectLayout{.ffn = real(layout.size()), .pooled = false, .tensor = layout.expert_tp > 1};
}

}  // namespace afford
