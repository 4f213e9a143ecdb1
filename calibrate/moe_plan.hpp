#pragma once
// Tile schedule of a grouped matrix product over experts: which token tile meets which weight tile, in which
// order. Host code without CUDA, so that it is tested everywhere.

#include <vector>

namespace afford::calibrate {

/// What the two blocks of a cluster have in common, loaded once for both; none: no clusters.
enum class MoeShare { none, weights, tokens };

/// How the product is cut: `columns` tokens by 256 weight rows a block.
struct MoeTiling {
  int columns = 128;  // 8, 16, 32, 64 or 128
  MoeShare share = MoeShare::none;
};

/// Work of one block, or of one cluster: it covers twice the tokens where weights are shared, two weight
/// tiles where tokens are.
struct MoeTile {
  int expert = 0;
  int weight_tile = 0;
  int first_row = 0;  // of the packed tokens
  int tokens = 0;     // of this expert, from first_row on
};

/// The tiling that pulls the fewest bytes through L2, given the routed copies of each expert: every token
/// tile pulls its expert's weights once more.
[[nodiscard]] MoeTiling choose_tiling(const std::vector<int>& tokens);

/// All tiles, expert by expert, token tiles of the same weights next to each other, so that blocks working at
/// the same time find them in L2. `weight_tiles` of each expert. Experts without tokens have none.
[[nodiscard]] std::vector<MoeTile> make_tiles(const std::vector<int>& tokens, int weight_tiles,
                                              const MoeTiling& tiling);

}  // namespace afford::calibrate
