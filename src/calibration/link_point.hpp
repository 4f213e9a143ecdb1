#pragma once
// One measurement of the fabric between the GPUs of a server, as afford-calibrate records it. Plain
// data.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace afford {

/// Operations: copy, exchange (both ways at once): `bytes` from one GPU to another. edge: a kernel
/// that waits for one of another GPU inside a CUDA graph, beyond one that waits on its own GPU.
/// flag: one way, between running kernels. all_reduce, all_gather, reduce_scatter, all_to_all:
/// `bytes` are those of the whole result (all_reduce, all_gather) or operand of each GPU.
/// send_recv: each GPU sends `bytes` to the next one. fan_out: GPU 0 sends `bytes` to each other
/// one, fan_in: each other one to GPU 0; pools: each GPU of the first half to each one of the
/// second, and back, at once. read_in, read_out: device memory that a
/// kernel could have read in the time that `bytes` arriving (leaving) cost it, in `us` is the time
/// they took.
struct LinkPoint {
  std::string operation;
  std::string by;  // copy engine, stores, bulk copies, flags, nccl, peer memory
  std::int64_t gpus = 2;
  double bytes = 0;
  double us = 0;
  double spread = 0;   // of the medians of repeated samples, over their median
  double cost = 0;     // read_in, read_out: bytes of memory reading that each byte costs
  bool right = false;  // what arrived was what was sent
};

inline constexpr std::array<std::string_view, 14> link_operations = {
    "all_gather", "all_reduce", "all_to_all", "copy",    "edge",     "exchange",       "fan_in",
    "fan_out",    "flag",       "pools",      "read_in", "read_out", "reduce_scatter", "send_recv"};
/// What is wrong with the name of an operation; empty: nothing.
[[nodiscard]] std::string objection_to_link(std::string_view operation);

[[nodiscard]] std::string links_csv(const std::vector<LinkPoint>& points);
/// Reads what links_csv() writes. Throws InputError with line and column.
[[nodiscard]] std::vector<LinkPoint> parse_links(std::string_view text, const std::string& file);

}  // namespace afford
