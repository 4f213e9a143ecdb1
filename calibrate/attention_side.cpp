#include "attention_side.hpp"

#include <cmath>
#include <numeric>

#include "mla.hpp"

namespace afford::calibrate {
namespace {

constexpr double rope_base = 10000;  // Su et al. 2021; what it is does not change the work
constexpr double e = 2.718281828459045;

float root(double x) { return static_cast<float>(std::sqrt(x)); }

/// Cosines and sines of each request's newest token.
std::vector<float2> turns(const std::vector<int>& lengths, int dim) {
  std::vector<float2> result;
  for (const int length : lengths)
    for (int i = 0; i < dim / 2; ++i) {
      const double angle = (length - 1) * std::pow(rope_base, -2.0 * i / dim);
      result.push_back({static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))});
    }
  return result;
}

}  // namespace

AttentionSide::AttentionSide(DenseTuning& tuning, const DecodeLayer& layer, const SideBatch& batch)
    : layer_(layer), batch_(batch) {
  make_projections(tuning);
  make_attention_kernel();
  fill();
}

DenseCase AttentionSide::projection(int n, int k, unsigned seed) const {
  return {.precision = layer_.projections,
          .block_scales = layer_.projections == Precision::fp8,
          .m = batch_.requests(),
          .n = n,
          .k = k,
          .alpha = 1 / root(k),
          .seed = batch_.seed + seed,
          .copies = batch_.sets};
}

void AttentionSide::make_projections(DenseTuning& tuning) {
  const DecodeLayer& l = layer_;
  const int queries =
      l.query_heads * (l.attention == AttentionKind::mla ? l.nope + l.rope : l.head_dim);
  const int keys = l.attention == AttentionKind::mla ? l.head_dim : 2 * l.kv_heads * l.head_dim;
  qkv_ = tuning.make(projection((l.query_rank > 0 ? l.query_rank : queries) + keys, l.hidden, 10));
  if (l.query_rank > 0) q_up_ = tuning.make(projection(queries, l.query_rank, 20));
  if (l.attention == AttentionKind::mla) {
    DenseCase key = projection(l.latent, l.nope, 30), value = projection(l.value_dim, l.latent, 40);
    key.precision = value.precision = Precision::bf16;  // as engines keep the absorbed products
    key.block_scales = value.block_scales = false;
    key.heads = value.heads = l.query_heads;
    key.x_width = l.nope + l.rope, key.y_width = l.head_dim;
    key_up_ = tuning.make(key);
    value_up_ = tuning.make(value);
  }
  // The mean of n values under softmax of normal scores deviates by sqrt(e / n): this gives the
  // output of requests of mean length a deviation near one.
  DenseCase out = projection(l.hidden, l.query_heads * l.value_width(), 50);
  const double tokens = std::accumulate(batch_.lengths.begin(), batch_.lengths.end(), 0.0);
  out.alpha *= root(tokens / batch_.requests() / e);
  out_ = tuning.make(out);
  if (l.experts == 0) return;
  DenseCase router = projection(l.experts, l.hidden, 60);
  router.precision = Precision::bf16, router.block_scales = false;
  router_ = tuning.make(router);
}

void AttentionSide::make_attention_kernel() {
  const int copies = batch_.sets * batch_.micro_batches;
  if (layer_.attention == AttentionKind::mla)
    attention_ = make_mla({.heads = layer_.query_heads,
                           .lengths = batch_.lengths,
                           .seed = batch_.seed + 70,
                           .copies = copies});
  else
    attention_ = make_attention({.query_heads = layer_.query_heads,
                                 .kv_heads = layer_.kv_heads,
                                 .head_dim = layer_.head_dim,
                                 .precision = layer_.cache,
                                 .lengths = batch_.lengths,
                                 .seed = batch_.seed + 70,
                                 .copies = copies});
  newest_ = DeviceArray<int>(attention_->newest_rows());
}

void AttentionSide::fill() {
  const size_t rows = static_cast<size_t>(batch_.requests()) * layer_.hidden,
               all = rows * static_cast<size_t>(batch_.micro_batches);
  const auto sets = static_cast<size_t>(batch_.sets);
  embedding_ = DeviceArray<__nv_bfloat16>(all);
  in_ = DeviceArray<__nv_bfloat16>(all);
  attended_ = DeviceArray<__nv_bfloat16>(all);
  partial_ = DeviceArray<__nv_bfloat16>(all * static_cast<size_t>(batch_.partials));
  routed_ = DeviceArray<__nv_bfloat16>(rows);
  gains_ = DeviceArray<__nv_bfloat16>(sets * 2 * layer_.hidden);
  query_gain_ = DeviceArray<__nv_bfloat16>(static_cast<size_t>(layer_.query_rank));
  latent_gain_ = DeviceArray<__nv_bfloat16>(static_cast<size_t>(layer_.latent));
  fill_normal(embedding_.data(), all, batch_.seed + 80, 1);
  for (DeviceArray<__nv_bfloat16>* gains : {&gains_, &query_gain_, &latent_gain_})
    fill_normal(gains->data(), gains->size(), batch_.seed + 90, 1);
  in_.poison(), attended_.poison(), partial_.poison();
  const int dim = layer_.attention == AttentionKind::mla ? layer_.rope : layer_.head_dim;
  turns_ = DeviceArray<float2>(turns(batch_.lengths, dim));
  check(cudaDeviceSynchronize(), "attention side");
}

__nv_bfloat16* AttentionSide::partials(int micro_batch) const {
  return partial_.data() +
         static_cast<size_t>(micro_batch) * batch_.partials * batch_.requests() * layer_.hidden;
}

AttentionSide::State AttentionSide::state(int micro_batch) const {
  const size_t at = static_cast<size_t>(micro_batch) * batch_.requests() * layer_.hidden;
  return {in_.data() + at, attended_.data() + at};
}

NormCall AttentionSide::norm_into(Dense& product, int set) const {
  const DenseBuffers to = product.buffers(set);
  NormCall call;
  call.rows = batch_.requests();
  call.precision = layer_.projections;
  call.targets[0] = {to.x, to.x_scales};
  call.target_count = 1;
  call.scales = {1, to.scale_stride};
  return call;
}

void AttentionSide::project(cudaStream_t stream, int layer, int micro_batch) {
  const int set = set_of(layer);
  const size_t at = static_cast<size_t>(micro_batch) * batch_.requests() * layer_.hidden;
  NormCall norm = norm_into(*qkv_, set);
  norm.width = norm.input_stride = layer_.hidden;
  norm.input = (layer == 0 ? embedding_ : attended_).data() + at;
  norm.partial = partials(micro_batch);
  norm.partials = layer == 0 ? 0 : batch_.partials;
  norm.gain = gains_.data() + static_cast<size_t>(set) * 2 * layer_.hidden;
  norm.sum = in_.data() + at;
  enqueue_norm(norm, stream);
  qkv_->enqueue(stream, set);
  if (q_up_ == nullptr) return;
  NormCall rank = norm_into(*q_up_, set);
  rank.width = layer_.query_rank;
  rank.input = qkv_->buffers(set).y;
  rank.input_stride = layer_.query_rank + (layer_.attention == AttentionKind::mla
                                               ? layer_.head_dim
                                               : 2 * layer_.kv_heads * layer_.head_dim);
  rank.gain = query_gain_.data();
  enqueue_norm(rank, stream);
  q_up_->enqueue(stream, set);
}

void AttentionSide::rotate(cudaStream_t stream, int layer, int micro_batch) {
  const DecodeLayer& l = layer_;
  const AttentionBuffers to = attention_->buffers(copy_of(layer, micro_batch));
  const __nv_bfloat16* qkv = qkv_->buffers(set_of(layer)).y;
  const int queries = l.query_heads * l.head_dim, keys = l.kv_heads * l.head_dim;
  RotaryCall call;
  call.rows = batch_.requests();
  call.query_heads = l.query_heads, call.kv_heads = l.kv_heads, call.dim = l.head_dim;
  call.queries = q_up_ != nullptr ? q_up_->buffers(set_of(layer)).y : qkv;
  const int first = q_up_ != nullptr ? l.query_rank : queries;
  call.kv_stride = first + 2 * keys;
  call.query_stride = q_up_ != nullptr ? queries : call.kv_stride;
  call.keys = qkv + first, call.values = qkv + first + keys;
  call.turns = turns_.data();
  call.cache_rows = newest_.data();
  call.precision = l.cache;
  call.queries_out = to.queries, call.key_cache = to.keys, call.value_cache = to.values;
  enqueue_rotary(call, stream);
}

void AttentionSide::absorb(cudaStream_t stream, int layer, int micro_batch) {
  const DecodeLayer& l = layer_;
  const int set = set_of(layer);
  const AttentionBuffers to = attention_->buffers(copy_of(layer, micro_batch));
  const __nv_bfloat16* queries = q_up_->buffers(set).y;
  key_up_->enqueue_between(stream, set, queries, to.queries);
  LatentRotaryCall call;
  call.rows = batch_.requests();
  call.heads = l.query_heads, call.latent = l.latent, call.rope = l.rope;
  call.queries = queries, call.query_width = l.nope + l.rope;
  call.kv = qkv_->buffers(set).y + l.query_rank;
  call.kv_stride = l.query_rank + l.head_dim;
  call.gain = latent_gain_.data();
  call.turns = turns_.data();
  call.cache_rows = newest_.data();
  call.queries_out = static_cast<__nv_bfloat16*>(to.queries);
  call.cache = static_cast<__nv_bfloat16*>(to.keys);
  enqueue_latent_rotary(call, stream);
}

void AttentionSide::output(cudaStream_t stream, int layer, int micro_batch) {
  const int set = set_of(layer);
  const bool fp8 = layer_.projections == Precision::fp8;
  const DenseBuffers to = out_->buffers(set);
  const __nv_bfloat16* values = attention_->buffers(copy_of(layer, micro_batch)).output;
  if (value_up_ != nullptr) {
    value_up_->enqueue_between(stream, set, values, fp8 ? nullptr : to.x);
    values = fp8 ? value_up_->buffers(set).y : static_cast<const __nv_bfloat16*>(to.x);
  }
  if (fp8) {
    const int width = layer_.query_heads * layer_.value_width();
    enqueue_quantise({batch_.requests(), width, values, {to.x, to.x_scales}, {1, to.scale_stride}},
                     stream);
    values = nullptr;
  }
  out_->enqueue_between(stream, set, values, nullptr);
}

void AttentionSide::dispatch(cudaStream_t stream, int layer, int micro_batch) {
  const int set = set_of(layer);
  const size_t at = static_cast<size_t>(micro_batch) * batch_.requests() * layer_.hidden;
  const std::vector<Inbox>& inboxes = inboxes_[static_cast<size_t>(micro_batch)];
  NormCall norm;
  norm.rows = batch_.requests();
  norm.width = norm.input_stride = layer_.hidden;
  norm.input = in_.data() + at;
  norm.partial = out_->buffers(set).y;
  norm.partials = 1;
  norm.gain = gains_.data() + (static_cast<size_t>(set) * 2 + 1) * layer_.hidden;
  norm.sum = attended_.data() + at;
  norm.normed = router_ != nullptr ? routed_.data() : nullptr;
  norm.precision = layer_.ffn;
  norm.scales = {layer_.hidden / 128, 1};
  for (const Inbox& inbox : inboxes) norm.targets[norm.target_count++] = inbox.hidden;
  enqueue_norm(norm, stream);
  if (router_ == nullptr) return;
  router_->enqueue_between(stream, set, routed_.data(), nullptr);
  TopKCall call;
  call.rows = batch_.requests(), call.experts = layer_.experts, call.active = layer_.active;
  call.logits = router_->buffers(set).y;
  for (const Inbox& inbox : inboxes) {
    call.ids[call.target_count] = inbox.ids;
    call.weights[call.target_count++] = inbox.weights;
  }
  enqueue_top_k(call, stream);
}

void AttentionSide::enqueue_core(cudaStream_t stream, int layer, int micro_batch) {
  attention_->enqueue(stream, copy_of(layer, micro_batch));
}

void AttentionSide::enqueue(cudaStream_t stream, int layer, int micro_batch) {
  project(stream, layer, micro_batch);
  if (layer_.attention == AttentionKind::mla)
    absorb(stream, layer, micro_batch);
  else
    rotate(stream, layer, micro_batch);
  enqueue_core(stream, layer, micro_batch);
  output(stream, layer, micro_batch);
  dispatch(stream, layer, micro_batch);
}

}  // namespace afford::calibrate
