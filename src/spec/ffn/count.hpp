#pragma once
// What a kind of FFN counts.
// Formula: Step-3 report (arXiv 2507.19427), Section 4: 2*3*hidden*intermediate for each gated MLP
// a token visits, shared experts and dense layers included; an MLP without a gate has 2 matrices
// instead of 3. Routed experts on a latent vector have the latent's width instead of hidden, and
// two matrices hidden x latent around them.

#include <cstdint>
#include <vector>

#include "spec/matrix.hpp"

namespace afford {

/// What a token has to do with an MLP: the router picks it, every token visits it beside the routed
/// ones, or it is all the layer has.
enum class MlpRole { routed, shared, dense };

/// `copies` MLPs of one width, of which a token visits `active`.
struct Mlp {
  Stated<MlpRole> role;
  std::int64_t intermediate = 0, active = 1, copies = 1;
  std::int64_t inputs = 0;  // 0: the hidden state
  bool gated = true;        // gate, up and down matrices; else up and down

  /// Matrices into the intermediate; one more leads back.
  [[nodiscard]] double matrices_up() const { return gated ? 2 : 1; }
};

struct FfnCount {
  std::vector<Mlp> mlps;
  std::int64_t router_outputs = 0;  // 0: no router
  std::int64_t latent = 0;          // width of the matrices to the routed experts and back; 0: none
  std::int64_t adapter = 0;  // rank of what a layer adds to the first matrices of its MLP; 0: none
};

}  // namespace afford
