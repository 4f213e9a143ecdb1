#include "count/modules.hpp"

#include "count/attention.hpp"
#include "count/ffn.hpp"

namespace afford {
namespace {

constexpr Dtype output_format = Dtype::bf16;

BytesPerToken vector_bytes(double inputs, Dtype input_format, double outputs) {
  return (size_of(input_format, inputs) + size_of(output_format, outputs)) / token;
}

ModuleCount projections(const ModelSpec& model, const AttentionCount& count) {
  ModuleCount module{.module = "projections"};
  for (const Matrix& matrix : count.projections) {
    module.flops += FlopsPerToken(2 * weights_of(matrix));
    module.weights += size_of(model.precision.attention_weights, weights_of(matrix));
    module.activations +=
        vector_bytes(static_cast<double>(matrix.inputs), model.precision.linear_compute,
                     static_cast<double>(matrix.outputs));
  }
  return module;
}

/// State is read and written; of a KV cache one new token is appended.
ModuleCount core(const ModelSpec& model, const AttentionSpec& spec, const AttentionCount& count,
                 double context) {
  const double tokens = reached(count.reach, context);
  const Dtype cache = spec.cache.value_or(model.precision.kv);
  ModuleCount module{.module = "core"};
  module.flops = FlopsPerToken(count.flops_per_context_token * tokens + count.state_flops);
  module.cache_read =
      size_of(cache, count.elements_per_context_token * tokens + count.state_elements / 2) / token;
  const double appended = count.keeps_cache ? count.elements_per_context_token : 0;
  module.cache_written = size_of(cache, appended + count.state_elements / 2) / token;
  // Of a short convolution's inputs all but the newest are read, the newest is written.
  module.cache_read += size_of(Dtype::bf16, count.conv_elements - count.conv_written) / token;
  module.cache_written += size_of(Dtype::bf16, count.conv_written) / token;
  for (const ContextTerm& walk : count.more) {
    const Dtype format = walk.format.value_or(cache);
    module.flops += FlopsPerToken(walk.flops * reached(walk, context));
    module.cache_read += size_of(format, walk.elements * reached(walk, context)) / token;
    module.cache_written += size_of(format, walk.elements / walk.stride) / token;
  }
  // Query in and output back: the last projection's input is what the core puts out.
  const double query = static_cast<double>(count.projections.back().inputs);
  module.activations = vector_bytes(query, model.precision.attention_compute, query);
  return module;
}

ModuleCount router(const ModelSpec& model, const FfnCount& count) {
  const double hidden = static_cast<double>(model.hidden),
               outputs = static_cast<double>(count.router_outputs);
  return {.layer_kind = {},
          .module = "router",
          .flops = FlopsPerToken(2 * hidden * outputs),
          .weights = size_of(model.precision.attention_weights, hidden * outputs),
          .cache_read = {},
          .cache_written = {},
          .activations = vector_bytes(hidden, model.precision.linear_compute, outputs)};
}

ModuleCount ffn(const ModelSpec& model, const FfnSpec& spec, const FfnCount& count) {
  const double hidden = static_cast<double>(model.hidden),
               latent = static_cast<double>(count.latent);
  const Dtype weights = spec.weights.value_or(model.precision.ffn_weights);
  const Dtype shared_weights = spec.shared_weights.value_or(weights),
              format = model.precision.ffn_compute;
  ModuleCount module{.module = "ffn"};
  module.flops = FlopsPerToken(2 * active_weights(count, model.hidden));
  for (const GatedMlp& mlp : count.mlps) {
    const double width = static_cast<double>(mlp.intermediate),
                 visits = static_cast<double>(mlp.active);
    const double inputs = mlp.inputs > 0 ? static_cast<double>(mlp.inputs) : hidden;
    module.weights += size_of(mlp.name == "shared" ? shared_weights : weights,
                              weights_of(mlp, mlp.active, model.hidden));
    module.activations +=
        visits * (vector_bytes(inputs, format, 2 * width) + vector_bytes(width, format, inputs));
  }
  if (count.latent > 0) {
    module.weights += size_of(shared_weights, latent_weights(count, model.hidden));
    module.activations +=
        vector_bytes(hidden, format, latent) + vector_bytes(latent, format, hidden);
  }
  return module;
}

/// Embedding reads one row of the table; the LM head multiplies with all of it. Both are BF16.
void add_vocabulary(const ModelSpec& model, std::vector<ModuleCount>& modules) {
  const double hidden = static_cast<double>(model.hidden), vocab = static_cast<double>(model.vocab);
  ModuleCount embedding{.layer_kind = "model", .module = "embedding"};
  embedding.weights = size_of(Dtype::bf16, hidden);
  embedding.activations = vector_bytes(0, Dtype::bf16, hidden);
  ModuleCount lm_head{.layer_kind = "model", .module = "lm_head"};
  lm_head.flops = FlopsPerToken(2 * hidden * vocab);
  lm_head.weights = size_of(Dtype::bf16, hidden * vocab);
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
    std::vector<ModuleCount> layer = {projections(model, attention_count),
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
