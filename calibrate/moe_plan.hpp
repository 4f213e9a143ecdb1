#pragma once
// Tile schedule of a grouped matrix product over experts: which token tile meets which weight tile,
// in which order. Host code without CUDA, so that it is tested everywhere.

#include <vector>

namespace afford::calibrate {

/// How the product is cut: `columns` tokens by 256 weight rows a block. Pairs: two blocks of a
/// cluster have neighbouring token tiles and load the weights once for both.
struct MoeTiling {
  int columns = 128;   // 8, 16, 24, 32, 48, 64 or 128
  bool pairs = false;  // with 128 columns
};

/// A token tile and a weight tile of one expert, for one block, or for the two of a cluster.
struct MoeTile {
  int expert = 0;
  int weight_tile = 0;
  int first_row = 0;  // of the packed tokens
  int tokens = 0;     // of this expert, from first_row on
};

/// Consecutive blocks of K of one tile that one block (or cluster) sums up.
struct MoeSegment {
  MoeTile tile;
  int first_k = 0, end_k = 0;
  int slot = -1;  // of partial sums; -1: the segment is the whole tile
  int parts = 0;  // 0: leaves its sum in `slot`; else adds those of `parts` slots from `slot` on,
                  // and finishes
};

struct MoeSchedule {
  std::vector<MoeSegment> segments;
  std::vector<int> begin;  // segments of block (or cluster) b: [begin[b], begin[b + 1])
  int slots = 0;

  [[nodiscard]] int blocks() const { return static_cast<int>(begin.size()) - 1; }
};

/// The tiling expected to be fastest, given the routed copies of each expert. Every token tile
/// pulls its expert's weights through L2 once more and is computed whole, which matters once either
/// takes longer than reading the weights from memory.
[[nodiscard]] MoeTiling choose_tiling(const std::vector<int>& tokens);

/// All tiles, expert by expert, token tiles of the same weights next to each other, so that blocks
/// working at the same time find them in L2. `weight_tiles` of each expert. Experts without tokens
/// have none.
[[nodiscard]] std::vector<MoeTile> make_tiles(const std::vector<int>& tokens, int weight_tiles,
                                              const MoeTiling& tiling);

/// Deals the tiles out to `blocks` in turn. Where the last round would leave blocks idle for long,
/// the last tiles are dealt out by blocks of K instead, an equal number to each (stream-K);
/// `split_cost` is what splitting tiles costs, in blocks of K.
[[nodiscard]] MoeSchedule deal_tiles(const std::vector<MoeTile>& tiles, int k_blocks, int blocks,
                                     int split_cost = 4);

}  // namespace afford::calibrate
