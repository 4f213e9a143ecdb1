#include "kernels/collective.hpp"

#include <algorithm>
#include <cmath>

namespace afford {
namespace {

/// One accelerator's share of its server's NICs, at the engine's fraction.
ByteRate network_rate(const Machine& machine) {
  const ByteRate nic =
      server_network(*machine.chip) / real(machine.chip->server_accelerators.value);
  return machine.engine->nic * nic;
}

/// `passes` over the whole group, each an all-gather or a reduce-scatter.
Op over_group(const GroupCollective& work, double passes, const Machine& machine) {
  const double inside = real(work.group.inside), domains = real(work.group.domains);
  const Bytes within = passes * ((inside - 1) / inside) * work.vector;
  Op op = collective({work.name, within, work.hidden}, machine);
  if (work.group.inside == 1) op.time = Seconds(0);
  if (work.group.domains == 1) return op;
  const Bytes across = passes * ((domains - 1) / domains) * (work.vector / inside);
  const double messages = passes * std::ceil(std::log2(domains));
  const Seconds network = across / network_rate(machine) + messages * machine.engine->network;
  op.bound = network > op.time ? Limit::network : Limit::scale_up;
  op.moved += across;
  op.time += network;
  return op;
}

}  // namespace

Op collective(const Collective& exchange, const Machine& machine) {
  const Engine& e = *machine.engine;
  Op op{.name = exchange.name, .kernels = 1};
  op.moved = exchange.bytes;
  op.time = exchange.bytes / (e.scale_up * machine.scale_up) + e.collective;
  op.bound = Limit::scale_up;
  op.hidden = exchange.hidden;
  return op;
}

Group group_of(std::int64_t accelerators, const HardwareSpec& chip, std::int64_t stride) {
  const std::int64_t domain =
      std::max(chip.scale_up_accelerators.value, chip.server_accelerators.value);
  std::int64_t inside = std::clamp<std::int64_t>(domain / stride, 1, accelerators);
  while (accelerators % inside != 0) --inside;
  return {inside, accelerators / inside};
}

Op all_gather(const GroupCollective& work, const Machine& machine) {
  return over_group(work, 1, machine);
}
Op reduce_scatter(const GroupCollective& work, const Machine& machine) {
  return over_group(work, 1, machine);
}
Op all_reduce(const GroupCollective& work, const Machine& machine) {
  return over_group(work, 2, machine);
}

Seconds exchange_time(const TokenExchange& exchange, const Machine& machine) {
  const Engine& e = *machine.engine;
  const Bytes bytes = exchange.tokens * exchange.copies * exchange.bytes;
  if (exchange.accelerators <= machine.chip->scale_up_accelerators.value)
    return bytes / (e.scale_up * machine.scale_up) + e.collective;
  return bytes / network_rate(machine) + e.network;
}

}  // namespace afford
