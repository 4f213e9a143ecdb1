#pragma once
// A serving engine: what share of its roof each class of its kernels reaches, and what it costs to
// start one. The fractions stand where no calibration is at hand; each default names the public
// measurements it was taken from.

#include <string>

#include "spec/source.hpp"
#include "units.hpp"

namespace afford {

struct Engine {
  std::string name, title, file;
  Sources sources;
  /// Attention core over KV reads: FlashInfer and FA3 stream 91 to 95 % of an H800's 3.35 TB/s at
  /// long contexts (InferSim tables; slope of the Step-3 report's Table 9).
  double attention_memory = 0.92;
  /// Attention core bound by compute: MLA decode at 0.56 to 0.67 of the BF16 peak (FlashInfer,
  /// FlashMLA on H800).
  double attention_compute = 0.60;
  /// GEMMs bound by reading weights: DeepGEMM masked groups reach 88 to 89 % on H800, large dense
  /// ones a little more.
  double gemm_memory = 0.90;
  /// Dense GEMMs against the FP8 or BF16 peak: cuBLAS reaches 0.73 to 0.79 at 8192^3, DeepGEMM 0.57
  /// to 0.77.
  double gemm_compute = 0.70;
  /// Grouped GEMMs at 128 to 512 tokens an expert: 0.43 to 0.55 of the peak (DeepGEMM masked, H800,
  /// InferSim tables).
  double grouped_compute = 0.50;
  /// Large transfers inside a server: nvbandwidth reads 0.86 of NVLink's rate on H100.
  double scale_up = 0.86;
  /// Network: DeepEP moves 39 to 46 GB/s over a 50 GB/s NIC.
  double nic = 0.80;
  /// Fixed cost of one kernel in a CUDA graph: the smallest kernels of DeepSeek's published decode
  /// trace take 2 to 8 us in all.
  Seconds kernel{3e-6};
  /// The smallest tile of query rows (heads of a group times tokens) of the attention core, for up
  /// to 16 rows; more go in tiles of 64, wgmma's M. 16 is the M of mma.sync, and FlashInfer's and
  /// TensorRT-LLM's decode kernels have such a tile: on H20, where padding to 64 would bind,
  /// FlashInfer reads 3.2 TB/s with 8 query heads a group, at 0.35 of the BF16 peak with padding to
  /// 16; with 32 heads 1.7 TB/s, which is 0.73 of the peak if padded to 64, as MLA's 128 rows reach
  /// (InferSim tables, 128 requests of 32K). 64 is FA3, which always pads to it.
  double attention_tile = 16;
  /// The fewest token rows a GEMM computes, of each expert in a grouped one: 16 where tokens lie
  /// along wgmma's N ("swap AB") or mma.sync is used; 64 in DeepGEMM of early 2025 (its times are
  /// flat to 64 tokens an expert).
  double gemm_tile = 16;
  /// Latency of one collective inside a server, and of one message between servers.
  Seconds collective{5e-6}, network{10e-6};
};

}  // namespace afford
