#include "count/decode.hpp"

#include "count/core.hpp"
#include "count/ffn.hpp"

namespace afford {
namespace {

AttentionTerms core_terms(const ModelSpec& model, const LayerKind& kind, Convention convention) {
  const AttentionSpec& spec = model.attentions[kind.attention];
  return {.layers = real(kind.layers),
          .core = count_attention(spec.shape, model.hidden, convention).core,
          .cache = cache_format(model, spec)};
}

/// Weights of the projections (and in the exact convention the router) of one layer.
double linear_weights(const ModelSpec& model, const LayerKind& kind, Convention convention) {
  const AttentionCount attention =
      count_attention(model.attentions[kind.attention].shape, model.hidden, convention);
  const FfnCount ffn = count_ffn(model.ffns[kind.ffn].shape);
  const double router = real(model.hidden) * real(ffn.router_outputs);
  return weights_of(attention.projections) + (convention == Convention::exact ? router : 0);
}

double ffn_weights(const ModelSpec& model, const LayerKind& kind) {
  return active_weights(count_ffn(model.ffns[kind.ffn].shape), model.hidden);
}

constexpr FlopsPerToken flops_of(double weights) { return FlopsPerToken(2 * weights); }

OwnProducts& products_in(std::vector<OwnProducts>& own, Dtype compute) {
  for (OwnProducts& each : own) {
    if (each.compute == compute) return each;
  }
  return own.emplace_back(OwnProducts{.compute = compute, .linear = {}, .ffn = {}});
}

/// `times` a layer's projections and FFN. The router runs as the model's other products do.
void add_products(const ModelSpec& model, const LayerKind& kind, Convention convention,
                  double times, DecodeTerms& terms) {
  const AttentionSpec& attention = model.attentions[kind.attention];
  const FfnSpec& ffn = model.ffns[kind.ffn];
  const FlopsPerToken visited = times * flops_of(ffn_weights(model, kind));
  terms.linear += times * flops_of(linear_weights(model, kind, convention));
  terms.ffn += visited;
  if (const Dtype own = product_format(model, attention); own != model.precision.linear_compute) {
    products_in(terms.own, own).linear +=
        times * flops_of(weights_of(
                    count_attention(attention.shape, model.hidden, convention).projections));
  }
  if (const Dtype own = product_format(model, ffn); own != model.precision.ffn_compute)
    products_in(terms.own, own).ffn += visited;
}

}  // namespace

double tokens_per_step(const Speculation& speculation) {
  double tokens = 1, still_accepted = 1;
  for (int i = 0; i < speculation.drafts; ++i) tokens += still_accepted *= speculation.acceptance;
  return tokens;
}

DecodeTerms decode_terms(const ModelSpec& model, Convention convention,
                         const Speculation& speculation) {
  const double steps = 1 / tokens_per_step(speculation);  // a generated token's share of a step
  const double queries = (speculation.drafts + 1) * steps;
  const double drafts = speculation.drafts * steps;
  DecodeTerms terms;
  terms.attention.reserve(model.attentions.size() + 1);
  std::vector<AttentionTerms*> group_of(model.attentions.size(), nullptr);
  for (const LayerKind& kind : model.layer_kinds) {
    const double layers = real(kind.layers);
    if (AttentionTerms* same = group_of[kind.attention]) {
      same->layers += layers;
    } else {
      AttentionTerms& group = terms.attention.emplace_back(core_terms(model, kind, convention));
      group.queries = queries;
      group.reads = steps;
      group_of[kind.attention] = &group;
    }
    add_products(model, kind, convention, queries * layers, terms);
  }
  const double hidden = real(model.hidden);
  if (speculation.drafts > 0) {
    LayerKind draft = model.mtp.value_or(main_layer_kind(model));
    draft.layers = 1;
    AttentionTerms& group = terms.attention.emplace_back(core_terms(model, draft, convention));
    group.queries = group.reads = drafts;
    group.draft = true;
    // A module first joins the hidden state and the embedding of the last token: 2*hidden ->
    // hidden.
    add_products(model, draft, convention, drafts, terms);
    terms.linear += drafts * flops_of(2 * hidden * hidden);
  }
  if (convention == Convention::exact) {
    terms.linear += (queries + drafts) * flops_of(hidden * real(model.vocab));
  }
  return terms;
}

CoreCount core_at(const AttentionTerms& terms, double context) {
  return {.flops = FlopsPerToken(terms.layers * terms.queries * core_flops(terms.core, context)),
          .bytes = terms.layers * terms.reads *
                   core_traffic(terms.core, terms.cache, context).charged() / token};
}

DecodeCount count_at(const DecodeTerms& terms, double context) {
  DecodeCount count{.kv = {}, .attention = {}, .linear = terms.linear, .ffn = terms.ffn};
  for (const AttentionTerms& group : terms.attention) {
    const CoreCount core = core_at(group, context);
    count.attention += core.flops;
    count.kv += core.bytes;
  }
  return count;
}

FlopsPerByte attention_intensity(const DecodeTerms& terms, double context) {
  CoreCount sum;
  for (const AttentionTerms& group : terms.attention) {
    if (group.draft) continue;
    const CoreCount core = core_at(group, context);
    sum.flops += core.flops;
    sum.bytes += core.bytes;
  }
  return sum.flops / sum.bytes;
}

}  // namespace afford
