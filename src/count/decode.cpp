#include "count/decode.hpp"

#include <algorithm>
#include <limits>

#include "count/attention.hpp"
#include "count/ffn.hpp"

namespace afford {
namespace {

double farthest(const Reach& reach) {
  return reach.kind == Reach::Kind::full ? std::numeric_limits<double>::infinity()
                                         : static_cast<double>(reach.tokens);
}

/// `queries` and `reads`: how often a generated token pays for a query token and for a cache read.
AttentionTerms core_terms(const ModelSpec& model, const LayerKind& kind, Convention convention,
                          double queries, double reads) {
  const AttentionSpec& spec = model.attentions[kind.attention];
  const AttentionCount count = count_attention(spec.shape, model.hidden, convention);
  const Dtype cache = spec.cache.value_or(model.precision.kv);
  AttentionTerms terms{
      .layers = static_cast<double>(kind.layers),
      .flops_per_context_token = FlopsPerToken(queries * count.flops_per_context_token),
      .state_flops = FlopsPerToken(queries * count.state_flops),
      .bytes_per_context_token = reads * size_of(cache, count.elements_per_context_token) / token,
      .state_bytes =
          reads *
          (size_of(cache, count.state_elements) + size_of(Dtype::bf16, count.conv_elements)) /
          token,
      .reach = farthest(count.reach)};
  for (const ContextTerm& walk : count.more) {
    terms.more.at(static_cast<size_t>(terms.walks++)) = {
        .flops = FlopsPerToken(queries * walk.flops),
        .bytes = reads * size_of(walk.format.value_or(cache), walk.elements) / token,
        .stride = walk.stride,
        .reach = farthest(walk.reach)};
  }
  return terms;
}

/// Weights of the projections (and in the exact convention the router) of one layer.
double linear_weights(const ModelSpec& model, const LayerKind& kind, Convention convention) {
  const AttentionCount attention =
      count_attention(model.attentions[kind.attention].shape, model.hidden, convention);
  const FfnCount ffn = count_ffn(model.ffns[kind.ffn].shape);
  const double router = static_cast<double>(model.hidden) * static_cast<double>(ffn.router_outputs);
  return weights_of(attention.projections) + (convention == Convention::exact ? router : 0);
}

double ffn_weights(const ModelSpec& model, const LayerKind& kind) {
  return active_weights(count_ffn(model.ffns[kind.ffn].shape), model.hidden);
}

constexpr FlopsPerToken flops_of(double weights) { return FlopsPerToken(2 * weights); }

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
    const double layers = static_cast<double>(kind.layers);
    if (AttentionTerms* same = group_of[kind.attention]) {
      same->layers += layers;
    } else {
      terms.attention.push_back(core_terms(model, kind, convention, queries, steps));
      group_of[kind.attention] = &terms.attention.back();
    }
    terms.linear += queries * layers * flops_of(linear_weights(model, kind, convention));
    terms.ffn += queries * layers * flops_of(ffn_weights(model, kind));
  }
  const double hidden = static_cast<double>(model.hidden);
  if (speculation.drafts > 0) {
    LayerKind draft = model.mtp.value_or(main_layer_kind(model));
    draft.layers = 1;
    terms.attention.push_back(core_terms(model, draft, convention, drafts, drafts));
    terms.attention.back().draft = true;
    // A module first joins the hidden state and the embedding of the last token: 2*hidden ->
    // hidden.
    terms.linear +=
        drafts * flops_of(linear_weights(model, draft, convention) + 2 * hidden * hidden);
    terms.ffn += drafts * flops_of(ffn_weights(model, draft));
  }
  if (convention == Convention::exact) {
    terms.linear += (queries + drafts) * flops_of(hidden * static_cast<double>(model.vocab));
  }
  return terms;
}

CoreCount core_at(const AttentionTerms& terms, double context) {
  const double reached = std::min(context, terms.reach);
  CoreCount core{.flops = terms.flops_per_context_token * reached + terms.state_flops,
                 .bytes = terms.bytes_per_context_token * reached + terms.state_bytes};
  for (int i = 0; i < terms.walks; ++i) {
    const WalkTerms& walk = terms.more[static_cast<size_t>(i)];
    const double entries = std::min(context / walk.stride, walk.reach);
    core.flops += walk.flops * entries;
    core.bytes += walk.bytes * entries;
  }
  return {.flops = terms.layers * core.flops, .bytes = terms.layers * core.bytes};
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
