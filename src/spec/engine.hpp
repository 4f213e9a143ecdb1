#pragma once
// A serving engine: what share of a chip's roofs its kernels reach, how they tile, what it costs to
// start them and what the engine keeps for itself. Plain data; engines/NAME.yaml holds one, with
// the source of every number. The defaults are those of engines/ideal.yaml: kernels with no engine
// around them.

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "spec/direct_runtime.hpp"
#include "spec/engine_time.hpp"
#include "units.hpp"

namespace afford {

/// Kernels that an engine launches where the model needs one step of computation. Fewer: fused.
struct KernelCounts {
  double combine = 1;           // of partial FFN results with the residual
  double norm_quantise = 2;     // before the projections
  double rank_norm = 0;         // of a compressed query, where it is not among the next
  double rope_cache_write = 3;  // norms of q and k, rope, appending to the cache
  double core = 2;              // attention over a cache, and joining its parts
  double state_update = 1;      // of recurrent attention
  double quantise = 1;          // of the core's output
  double norm = 1;              // before the FFN
  double top_k_pack = 2;        // routing and packing of tokens
  double activation = 1;        // between gate, up and down
  double embedding = 1;
  double head = 2;  // LM head, and joining its parts
  double sampling = 3;
};

/// How an engine's pools hold caches: see paged_cache().
struct CachePages {
  double tokens = 0;      // of a page; 0: caches take what they hold
  bool one_size = false;  // one pool, whose pages suit layers of a window, of states and all others
  double window_share = 0;  // tokens of the pool of window layers over those of the others; 0: as
                            // many as there must be
};

/// The name of the one that stands for none.
inline constexpr std::string_view no_engine = "ideal";

struct Engine {
  std::string name = std::string(no_engine), title, file;
  std::string base;  // the engine its file builds on, as the file names it; may be empty

  // Shares of the data sheet's rates, where no calibration is at hand.
  double attention_memory = 0.92;   // a core bound by reading its cache
  double attention_compute = 0.60;  // a core bound by its products
  double gemm_memory = 0.90;        // GEMMs bound by reading weights
  double gemm_compute = 0.70;       // dense GEMMs
  double grouped_compute = 0.50;    // grouped GEMMs of experts
  double scale_up = 0.86;           // large transfers inside a scale-up domain
  double nic = 0.80;                // between servers
  double l2_over_memory = 2;        // rate of activations, which stay in L2, over that of memory

  /// The smallest tile of query rows (heads of a group times tokens) of the attention core, for up
  /// to 16 rows; more go in tiles of 64, wgmma's M.
  double attention_tile = 16;
  /// Whether that tile, and any tile of a product with block scales, also counts on a calibrated
  /// curve, in place of the measured kernel's.
  bool tile_on_curves = false;
  /// The fewest token rows a GEMM computes, of each expert in a grouped one.
  double gemm_tile = 16;
  /// Rows of the tile of a grouped GEMM whose experts have more tokens than that.
  double grouped_tile = 16;
  bool paged_cache = true;  // the cache is read through a page table

  Seconds kernel{3e-6};      // fixed cost of one kernel
  Seconds collective{5e-6};  // latency of one collective inside a server
  Seconds network{10e-6};    // latency of one message between servers
  Seconds between_steps;     // host time between two steps of a co-located engine
  KernelCounts kernels;

  /// Models run as their checkpoints are published, attention and cache in BF16, rather than in the
  /// formats of a model's file.
  bool published_attention = false;

  /// Its AFD may leave core attention and the cache alone on the attention side.
  bool cuts_at_core = false;

  /// What it fills with weights, caches and buffers: see usable_memory_of().
  struct Memory {
    double usable = 0.92;         // share; the rest is for the runtime, graphs and fragmentation
    bool of_visible = false;      // a share of what programs see, not of the size on the data sheet
    bool behind_weights = false;  // a share of what the weights and the reserve leave
    Bytes reserve;                // beside that: workspace of prompts, graphs, NCCL
    double most_reserved = 1;     // share of the memory that the reserve is at most
    CachePages pages;
  } memory;

  EngineTime time;  // what stands on top of the roofs where it decodes on one server
  DirectRuntime runtime;

  /// The source of each of engine_parameters(), in their order; empty in an engine of no file.
  std::vector<std::string> citations;
};

/// One number of an engine: where its file states it, and what values make sense.
struct EngineParameter {
  using Number = double& (*)(Engine&);  // a share, a count, rows
  using Time = Seconds& (*)(Engine&);
  using Size = Bytes& (*)(Engine&);
  using Flag = bool& (*)(Engine&);

  std::string_view section, key;  // attention, memory
  std::string_view about;
  std::variant<Number, Time, Size, Flag> at;
  double least = 0, most = 1;  // of numbers; times in seconds, sizes in bytes
  bool whole = false;          // a number of rows or tokens
};

/// "s" or "B"; "" of what has no unit.
[[nodiscard]] std::string_view base_unit(const EngineParameter& parameter);

/// Every number of an engine file. Reader, `show` and what a fit may change follow from it.
[[nodiscard]] std::span<const EngineParameter> engine_parameters();

}  // namespace afford
