#include "kernels/collective.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace afford {
namespace {

/// One accelerator's share of its server's NICs.
ByteRate nic_rate(const HardwareSpec& chip) {
  return server_network(chip) / real(chip.server_accelerators.value);
}

/// The same at the engine's fraction.
ByteRate network_rate(const Machine& machine) {
  return machine.engine->nic * nic_rate(*machine.chip);
}

/// An all-reduce inside a domain as engines run it: latency and rate as measured with NCCL and
/// one- and two-shot kernels on Hopper (6, 8 and 10 us over 2, 4 and 8 GPUs; 0.65 of NVLink),
/// times the engine's factors.
Seconds served_all_reduce(double vector_passes, const Group& group, Bytes vector,
                          const Machine& machine) {
  constexpr double first_us = 4, doubling_us = 2, share = 0.65;
  const EngineTime& time = machine.engine->time;
  const double n = real(group.inside);
  const ByteRate fabric = fabric_rate(*machine.chip, group.inside * group.stride);
  const Seconds latency = (first_us + doubling_us * std::log2(n)) * microsecond;
  const Seconds transfer = 2 * (n - 1) / n * vector / (share * fabric);
  return vector_passes / 2 * (time.all_reduce_latency * latency + time.all_reduce_rate * transfer);
}

/// The links of a chip whose own were measured; null: the engine's rate and latency stand.
const Links* own_links(const Machine& machine) {
  if (machine.measured == nullptr || machine.measured->transferred) return nullptr;
  const Links& links = machine.measured->calibration->links;
  return links.empty() ? nullptr : &links;
}

/// As measured among the GPUs of one server, where it stays inside one.
std::optional<Seconds> measured_collective(std::string_view operation, std::int64_t accelerators,
                                           Bytes bytes, const Machine& machine) {
  const Links* links = own_links(machine);
  if (links == nullptr || accelerators > machine.chip->server_accelerators.value)
    return std::nullopt;
  return collective_time(*links, operation, accelerators, bytes.base());
}

/// Half an all-reduce or a whole one, by the name under which links were measured.
struct Passes {
  std::string_view operation;
  double count = 1;
};

/// Passes over the whole group, each an all-gather or a reduce-scatter: half an all-reduce.
Op over_group(const GroupCollective& work, const Passes& all, const Machine& machine) {
  const double passes = all.count;
  const double inside = real(work.group.inside), domains = real(work.group.domains);
  const Bytes within = passes * ((inside - 1) / inside) * work.vector;
  const std::int64_t among = work.group.inside * work.group.stride;
  Op op = collective({.name = work.name, .bytes = within, .among = among, .hidden = work.hidden},
                     machine);
  if (machine.launches()) {
    op.time = served_all_reduce(passes, work.group, work.vector, machine);
  } else {
    op.time = measured_collective(all.operation, work.group.inside, work.vector, machine)
                  .value_or(op.time);
  }
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
  op.time =
      exchange.bytes / (e.scale_up * fabric_rate(*machine.chip, exchange.among)) + e.collective;
  if (!machine.launches())
    op.time = measured_collective("exchange", 2, exchange.bytes, machine).value_or(op.time);
  op.bound = Limit::scale_up;
  op.hidden = exchange.hidden;
  return op;
}

Group group_of(std::int64_t accelerators, const HardwareSpec& chip, std::int64_t stride) {
  const std::int64_t domain = joined_accelerators(chip);
  std::int64_t inside = std::clamp<std::int64_t>(domain / stride, 1, accelerators);
  while (accelerators % inside != 0) --inside;
  return {.inside = inside, .domains = accelerators / inside, .stride = stride};
}

Op all_gather(const GroupCollective& work, const Machine& machine) {
  return over_group(work, {"all_gather", 1}, machine);
}
Op reduce_scatter(const GroupCollective& work, const Machine& machine) {
  return over_group(work, {"reduce_scatter", 1}, machine);
}
Op all_reduce(const GroupCollective& work, const Machine& machine) {
  return over_group(work, {"all_reduce", 2}, machine);
}

namespace {

/// Accelerators that an exchange of tokens reaches over the fabric, or over what joins the domains
/// of a server.
std::int64_t reached_without_nic(const HardwareSpec& chip) {
  return chip.server_bandwidth.stated() ? joined_accelerators(chip)
                                        : chip.scale_up_accelerators.value;
}

Seconds served_exchange(const TokenExchange& exchange, const Machine& machine) {
  const EngineTime& time = machine.engine->time;
  const NetworkExchange& network = time.over_network;
  const Bytes bytes = exchange.tokens * exchange.copies * exchange.bytes;
  const double n = real(exchange.accelerators);
  const double domain = real(reached_without_nic(*machine.chip));
  if (n <= domain) {
    const ByteRate rate = time.exchange_share.on(machine.chip->architecture.value) *
                          fabric_rate(*machine.chip, exchange.accelerators);
    return 0.5 * std::log2(n) * time.exchange_latency + (1 - 1 / n) * bytes / rate;
  }
  const Seconds across = (1 - domain / n) * bytes / (network.rate * nic_rate(*machine.chip));
  const Seconds inside =
      domain / n * bytes / (network.scale_up * fabric_rate(*machine.chip, exchange.accelerators));
  return network.latency + exchange.balance * std::max(across, inside);
}

}  // namespace

Seconds exchange_time(const TokenExchange& exchange, const Machine& machine) {
  if (machine.launches()) return served_exchange(exchange, machine);
  const Engine& e = *machine.engine;
  const Bytes bytes = exchange.tokens * exchange.copies * exchange.bytes;
  if (exchange.accelerators <= reached_without_nic(*machine.chip)) {
    const Seconds unmeasured =
        bytes / (e.scale_up * fabric_rate(*machine.chip, exchange.accelerators)) + e.collective;
    return measured_collective("all_to_all", exchange.accelerators, bytes, machine)
        .value_or(unmeasured);
  }
  return bytes / network_rate(machine) + e.network;
}

}  // namespace afford
