#pragma once
// What a layer kind of a model counts, whatever the deployment.

#include <string>
#include <vector>

#include "count/core.hpp"
#include "count/ffn.hpp"
#include "spec/model.hpp"

namespace afford {

/// Counts of one layer kind that do not depend on the deployment; made once for each model.
struct LayerShape {
  AttentionCount attention;
  FfnCount ffn;
  Dtype cache = Dtype::fp8;
  Dtype attention_weights = Dtype::fp8, linear_compute = Dtype::fp8;
  Dtype ffn_weights = Dtype::fp8, shared_weights = Dtype::fp8, ffn_compute = Dtype::fp8;
  std::int64_t layers = 1;
  size_t attention_spec = 0;  // of the model: what kinds alike in it do on their attention side is
                              // alike, but for combining before it and routing after it
  // Those with weights of their own, where layers share sets of them.
  std::int64_t attention_sets = 1, ffn_sets = 1;
};

/// Shapes of every layer kind of a model (exact counting).
[[nodiscard]] std::vector<LayerShape> layer_shapes(const ModelSpec& model);

/// The kind of most layers, which drafts have too; the first of several.
[[nodiscard]] std::size_t main_kind(const std::vector<LayerShape>& shapes);

/// What `ways` accelerators cannot share out evenly: "128 attention heads" of the first layer kind
/// that has them, or its "10 KV heads" where these are neither divided nor copied evenly. Empty
/// where every kind's divide. Heads of a recurrent state are its own, those of a short convolution
/// its channels.
[[nodiscard]] std::string undivided_heads(const std::vector<LayerShape>& shapes, std::int64_t ways);

/// Ways a projection is split in a tensor-parallel group of accelerators.
[[nodiscard]] double tensor_ways(const Matrix& projection, const AttentionCount& attention,
                                 std::int64_t group);

}  // namespace afford
