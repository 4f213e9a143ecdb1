#pragma once
// What accelerators send each other: collectives inside a scale-up domain or across several, and
// the exchange of tokens with their experts. One function a term.

#include "kernels/machine.hpp"

namespace afford {

/// A collective of `among` accelerators that need no NIC: `bytes` in and out of each, each way at
/// the same time. Hidden: behind other micro-batches' work.
struct Collective {
  std::string_view name;
  Bytes bytes;
  std::int64_t among = 1;
  bool hidden = false;
};
[[nodiscard]] Op collective(const Collective& exchange, const Machine& machine);

/// The accelerators of a collective: `inside` in each of `domains` domains, every `stride`th of
/// neighbours.
struct Group {
  std::int64_t inside = 1, domains = 1, stride = 1;
};

/// `accelerators` packed into as few domains as their number divides into, every `stride`th of
/// neighbours. A domain is what the scale-up fabric joins, a server at least; in a server of
/// smaller domains the link between these carries the ring.
[[nodiscard]] Group group_of(std::int64_t accelerators, const HardwareSpec& chip,
                             std::int64_t stride = 1);

/// `vector`: what every accelerator has after an all-gather or an all-reduce, and before a
/// reduce-scatter.
struct GroupCollective {
  std::string_view name;
  Bytes vector;
  Group group;
  bool hidden = false;
};

/// Over several domains it is hierarchical: inside each domain first (or last), and between the
/// domains each accelerator moves its own share of the vector over its share of the NICs, in
/// log2(domains) messages a pass (Thakur, Rabenseifner and Gropp, Optimization of Collective
/// Communication Operations in MPICH, 2005). An all-reduce is a reduce-scatter and an all-gather.
[[nodiscard]] Op all_gather(const GroupCollective& work, const Machine& machine);
[[nodiscard]] Op reduce_scatter(const GroupCollective& work, const Machine& machine);
[[nodiscard]] Op all_reduce(const GroupCollective& work, const Machine& machine);

/// One accelerator's `tokens`, each with `copies` experts among `accelerators`, `bytes` a copy.
struct TokenExchange {
  double tokens = 0, copies = 0;
  Bytes bytes;
  std::int64_t accelerators = 1;
  double balance = 1;  // the busiest rank's share over the mean, over NICs
};
/// Dispatch or combine: over its NIC as DeepEP's low-latency kernels do, or over the scale-up
/// fabric where it reaches every expert. Of an engine that counts launches, the busiest rank's: in
/// a domain a latency for each doubling of the accelerators (half of it each way) and the copies
/// for other accelerators; beyond it what goes over the NICs or over the fabric, whichever is
/// longer.
[[nodiscard]] Seconds exchange_time(const TokenExchange& exchange, const Machine& machine);

}  // namespace afford
