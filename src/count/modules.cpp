#include "count/modules.hpp"

#include "count/core.hpp"
#include "count/ffn.hpp"

namespace afford {
namespace {

constexpr Dtype output_format = Dtype::bf16;

BytesPerToken vector_bytes(double inputs, Dtype input_format, double outputs) {
  return (size_of(input_format, inputs) + size_of(output_format, outputs)) / token;
}

ModuleCount projections(const ModelSpec& model, const AttentionSpec& spec,
                        const AttentionCount& count) {
  ModuleCount module{.module = "projections"};
  for (const Matrix& matrix : count.projections) {
    module.flops += FlopsPerToken(2 * weights_of(matrix));
    module.weights += size_of(weight_format(model, spec), weights_of(matrix));
    module.activations +=
        vector_bytes(values_read(matrix), product_format(model, spec), real(matrix.outputs));
  }
  return module;
}

/// State is read and written; of a KV cache one new token is appended.
ModuleCount core(const ModelSpec& model, const AttentionSpec& spec, const AttentionCount& count,
                 double context) {
  const CoreTraffic traffic = core_traffic(count.core, cache_format(model, spec), context);
  return {.layer_kind = {},
          .module = "core",
          .flops = FlopsPerToken(core_flops(count.core, context)),
          .weights = {},
          .cache_read = traffic.read / token,
          .cache_written = (traffic.updated + traffic.appended) / token,
          // Query in and output back.
          .activations = vector_bytes(count.core_outputs, model.precision.attention_compute,
                                      count.core_outputs)};
}

ModuleCount router(const ModelSpec& model, const FfnCount& count) {
  const double hidden = real(model.hidden), outputs = real(count.router_outputs);
  return {.layer_kind = {},
          .module = "router",
          .flops = FlopsPerToken(2 * hidden * outputs),
          .weights = size_of(model.precision.attention_weights, hidden * outputs),
          .cache_read = {},
          .cache_written = {},
          .activations = vector_bytes(hidden, model.precision.linear_compute, outputs)};
}

ModuleCount ffn(const ModelSpec& model, const FfnSpec& spec, const FfnCount& count) {
  const double hidden = real(model.hidden), latent = real(count.latent);
  const Dtype weights = weight_format(model, spec);
  const Dtype shared_weights = spec.shared_weights.value_or(weights);
  const Dtype format = product_format(model, spec);
  ModuleCount module{.module = "ffn"};
  module.flops = FlopsPerToken(2 * active_weights(count, model.hidden));
  for (const Mlp& mlp : count.mlps) {
    const double width = real(mlp.intermediate), inputs = inputs_of(mlp, model.hidden);
    module.weights += size_of(mlp.role == MlpRole::shared ? shared_weights : weights,
                              weights_of(mlp, mlp.active, model.hidden));
    module.activations +=
        real(mlp.active) * (vector_bytes(inputs, format, mlp.matrices_up() * width) +
                            vector_bytes(width, format, inputs));
  }
  module.weights += size_of(weights, adapter_weights(count, model.hidden));
  if (count.latent > 0) {
    module.weights += size_of(shared_weights, latent_weights(count, model.hidden));
    module.activations +=
        vector_bytes(hidden, format, latent) + vector_bytes(latent, format, hidden);
  }
  return module;
}

/// Embedding reads one row of the table; the LM head multiplies with all of it.
void add_vocabulary(const ModelSpec& model, std::vector<ModuleCount>& modules) {
  const double hidden = real(model.hidden), vocab = real(model.vocab);
  ModuleCount embedding{.layer_kind = "model", .module = "embedding"};
  embedding.weights = size_of(model.precision.vocabulary, hidden);
  embedding.activations = vector_bytes(0, Dtype::bf16, hidden);
  ModuleCount lm_head{.layer_kind = "model", .module = "lm_head"};
  lm_head.flops = FlopsPerToken(2 * hidden * vocab);
  lm_head.weights = size_of(head_format(model), hidden * vocab);
  lm_head.activations = vector_bytes(hidden, Dtype::bf16, vocab);
  modules.push_back(embedding);
  modules.push_back(lm_head);
}

}  // namespace

std::vector<ModuleCount> count_modules(const ModelSpec& model, Convention convention,
                                       double context) {
  std::vector<ModuleCount> modules;
  for (const LayerKind& kind : model.layer_kinds) {
    const AttentionSpec& attention_spec = model.attentions[kind.attention];
    const FfnSpec& ffn_spec = model.ffns[kind.ffn];
    const AttentionCount attention_count =
        count_attention(attention_spec.shape, model.hidden, convention);
    const FfnCount ffn_count = count_ffn(ffn_spec.shape);
    std::vector<ModuleCount> layer = {projections(model, attention_spec, attention_count),
                                      core(model, attention_spec, attention_count, context)};
    if (ffn_count.router_outputs > 0) layer.push_back(router(model, ffn_count));
    layer.push_back(ffn(model, ffn_spec, ffn_count));
    for (ModuleCount& module : layer) {
      module.layer_kind = attention_spec.name + "/" + ffn_spec.name;
      module.layers = kind.layers;
      modules.push_back(std::move(module));
    }
  }
  add_vocabulary(model, modules);
  return modules;
}

}  // namespace afford
