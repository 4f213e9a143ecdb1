#include "layer_reference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "gpu.hpp"

namespace afford::calibrate {
namespace {

using Values = std::vector<float>;

template <class T>
std::vector<T> copied(const T* from, size_t count) {
  std::vector<T> host(count);
  check(cudaMemcpy(host.data(), from, count * sizeof(T), cudaMemcpyDeviceToHost), "copy to host");
  return host;
}

template <class Element>
Values row_of(const void* base, size_t row, size_t width) {
  Values values;
  for (const Element x : copied(static_cast<const Element*>(base) + row * width, width))
    values.push_back(static_cast<float>(x));
  return values;
}

Values normed(const Values& x, const Values& gain) {
  double squares = 0;
  for (const float v : x) squares += static_cast<double>(v) * v;
  const double scale = 1 / std::sqrt(squares / static_cast<double>(x.size()) + 1e-6);
  Values out;
  for (size_t i = 0; i < x.size(); ++i) out.push_back(static_cast<float>(x[i] * scale * gain[i]));
  return out;
}

Values part(const Values& from, size_t first, size_t count) {
  const auto begin = from.begin() + static_cast<std::ptrdiff_t>(first);
  return {begin, begin + static_cast<std::ptrdiff_t>(count)};
}

void append(Values& to, const Values& more) { to.insert(to.end(), more.begin(), more.end()); }

Values rotated(const Values& x, const std::vector<float2>& turns, size_t row) {
  const size_t half = x.size() / 2;
  Values out(x.size());
  for (size_t i = 0; i < half; ++i) {
    const float2 t = turns[row * half + i];
    out[i] = x[i] * t.x - x[i + half] * t.y;
    out[i + half] = x[i + half] * t.x + x[i] * t.y;
  }
  return out;
}

}  // namespace

/// The check of one attention GPU's requests in one micro-batch.
class LayerReference {
 public:
  LayerReference(Pipeline& pipeline, int layer, int micro_batch)
      : pipeline_(pipeline),
        side_(pipeline.attention(0)),
        shape_(side_.layer_),
        set_(side_.set_of(layer)),
        copy_(side_.copy_of(layer, micro_batch)),
        micro_batch_(micro_batch) {
    use_gpu(pipeline.shape().layout.attention.front());
    const std::set<int> rows{0, side_.batch_.requests() / 2, side_.batch_.requests() - 1};
    rows_.assign(rows.begin(), rows.end());
    turns_ = side_.turns_.to_host();
  }

  LayerErrors errors() {
    LayerErrors found;
    attention(found);
    ffn(found);
    return found;
  }

 private:
  [[nodiscard]] Values gain(int which) const {
    return row_of<__nv_bfloat16>(side_.gains_.data(), static_cast<size_t>(2 * set_ + which),
                                 static_cast<size_t>(shape_.hidden));
  }
  [[nodiscard]] Values product(Dense& dense, const Values& x, int set) const {
    return dense.reference(set, DeviceArray<float>(x));
  }
  /// Rows of the residual stream, one after another, each through `change`.
  template <class Change>
  [[nodiscard]] Values rows(const __nv_bfloat16* from, Change change) const {
    Values all;
    for (const int row : rows_)
      append(all, change(row_of<__nv_bfloat16>(from, static_cast<size_t>(row),
                                               static_cast<size_t>(shape_.hidden))));
    return all;
  }

  void attention(LayerErrors& found) {
    const AttentionSide::State state = side_.state(micro_batch_);
    const Values before = gain(0);
    const Values hidden = rows(state.in, [&](const Values& x) { return normed(x, before); });
    const Values qkv = product(*side_.qkv_, hidden, set_);
    const size_t width = qkv.size() / rows_.size();
    Values queries, keys;
    std::vector<Values> rows_of_qkv;
    for (size_t i = 0; i < rows_.size(); ++i) rows_of_qkv.push_back(part(qkv, i * width, width));
    const Values projected = projected_queries(rows_of_qkv);
    const bool mla = shape_.attention == AttentionKind::mla;
    queries = mla ? latent_queries(projected) : rotated_queries(projected);
    found.cache = cache_error(rows_of_qkv);
    Values values = side_.attention_->reference(copy_, rows_, DeviceArray<float>(queries));
    if (mla) values = product(*side_.value_up_, values, set_);
    const Values want = product(*side_.out_, values, set_);
    const Values in = rows(state.in, [](const Values& x) { return x; });
    Values have = rows(state.attended, [](const Values& x) { return x; });
    for (size_t i = 0; i < have.size(); ++i) have[i] -= in[i];
    found.attention = relative_error(have, want);
  }

  /// [row][head][width of a query before it is rotated]
  [[nodiscard]] Values projected_queries(const std::vector<Values>& qkv) const {
    const bool mla = shape_.attention == AttentionKind::mla;
    const auto queries = static_cast<size_t>(shape_.query_heads) *
                         (mla ? shape_.nope + shape_.rope : shape_.head_dim);
    Values all;
    if (side_.q_up_ == nullptr) {
      for (const Values& row : qkv) append(all, part(row, 0, queries));
      return all;
    }
    const auto rank = static_cast<size_t>(shape_.query_rank);
    const Values gain = row_of<__nv_bfloat16>(side_.query_gain_.data(), 0, rank);
    for (const Values& row : qkv) append(all, normed(part(row, 0, rank), gain));
    return product(*side_.q_up_, all, set_);
  }

  [[nodiscard]] Values rotated_queries(const Values& projected) const {
    const auto dim = static_cast<size_t>(shape_.head_dim),
               heads = static_cast<size_t>(shape_.query_heads);
    Values all;
    for (size_t i = 0; i < rows_.size(); ++i)
      for (size_t head = 0; head < heads; ++head)
        append(all, rotated(part(projected, (i * heads + head) * dim, dim), turns_,
                            static_cast<size_t>(rows_[i])));
    return all;
  }

  [[nodiscard]] Values latent_queries(const Values& projected) const {
    const auto nope = static_cast<size_t>(shape_.nope), rope = static_cast<size_t>(shape_.rope),
               latent = static_cast<size_t>(shape_.latent),
               heads = static_cast<size_t>(shape_.query_heads), count = rows_.size() * heads;
    Values plain;
    for (size_t i = 0; i < count; ++i) append(plain, part(projected, i * (nope + rope), nope));
    const Values up = product(*side_.key_up_, plain, set_);
    Values all;
    for (size_t i = 0; i < count; ++i) {
      append(all, part(up, i * latent, latent));
      append(all, rotated(part(projected, i * (nope + rope) + nope, rope), turns_,
                          static_cast<size_t>(rows_[i / heads])));
    }
    return all;
  }

  /// Of the newest rows of the caches.
  [[nodiscard]] double cache_error(const std::vector<Values>& qkv) const {
    const AttentionBuffers cache = side_.attention_->buffers(copy_);
    const std::vector<int> newest = side_.attention_->newest_rows();
    const auto dim = static_cast<size_t>(shape_.head_dim),
               kv_heads = static_cast<size_t>(shape_.kv_heads);
    const size_t width = qkv.front().size();
    Values have, want;
    const auto cached = [&](const void* base, size_t row) {
      return shape_.cache == Precision::fp8 ? row_of<__nv_fp8_e4m3>(base, row, dim)
                                            : row_of<__nv_bfloat16>(base, row, dim);
    };
    for (size_t i = 0; i < rows_.size(); ++i) {
      const auto request = static_cast<size_t>(rows_[i]);
      if (shape_.attention == AttentionKind::mla) {
        const auto latent = static_cast<size_t>(shape_.latent),
                   rope = static_cast<size_t>(shape_.rope);
        append(have, cached(cache.keys, static_cast<size_t>(newest[request])));
        append(want, normed(part(qkv[i], width - latent - rope, latent),
                            row_of<__nv_bfloat16>(side_.latent_gain_.data(), 0, latent)));
        append(want, rotated(part(qkv[i], width - rope, rope), turns_, request));
        continue;
      }
      for (size_t head = 0; head < kv_heads; ++head) {
        const auto row = static_cast<size_t>(newest[request * kv_heads + head]);
        const size_t key = width - (2 * kv_heads - head) * dim, value = key + kv_heads * dim;
        append(have, cached(cache.keys, row)), append(have, cached(cache.values, row));
        append(want, rotated(part(qkv[i], key, dim), turns_, request));
        append(want, part(qkv[i], value, dim));
      }
    }
    return relative_error(have, want);
  }

  void ffn(LayerErrors& found) {
    const AttentionSide::State state = side_.state(micro_batch_);
    const Values before = gain(1);
    const Values hidden = rows(state.attended, [&](const Values& x) { return normed(x, before); });
    Values logits;
    if (side_.router_ != nullptr) logits = product(*side_.router_, hidden, set_);
    const auto hidden_size = static_cast<size_t>(shape_.hidden);
    Values want(hidden.size(), 0), have(hidden.size(), 0);
    const int gpus = static_cast<int>(pipeline_.shape().layout.ffn.size());
    for (int f = 0; f < gpus; ++f) {
      for (size_t i = 0; i < rows_.size(); ++i) {
        const Values x = part(hidden, i * hidden_size, hidden_size);
        const Values own = part(logits, i * static_cast<size_t>(shape_.experts),
                                static_cast<size_t>(shape_.experts));
        const Values sum = experts_of(f, rows_[i], x, own, found);
        for (size_t j = 0; j < hidden_size; ++j) want[i * hidden_size + j] += sum[j];
        const size_t row = static_cast<size_t>(f) * side_.batch_.requests() + rows_[i];
        const Values partial =
            row_of<__nv_bfloat16>(side_.partials(micro_batch_), row, hidden_size);
        for (size_t j = 0; j < hidden_size; ++j) have[i * hidden_size + j] += partial[j];
      }
    }
    found.ffn = relative_error(have, want);
  }

  /// What FFN GPU `f` should add for a row.
  [[nodiscard]] Values experts_of(int f, int row, const Values& x, const Values& logits,
                                  LayerErrors& found) const {
    FfnSide& side = pipeline_.ffn(f);
    const LocalExperts& here = side.batch_.experts;
    const auto active = static_cast<size_t>(shape_.active);
    const std::vector<int> ids =
        active == 0
            ? std::vector<int>{}
            : copied(side.inbox(micro_batch_).ids + static_cast<size_t>(row) * active, active);
    found.routing = std::max(found.routing, misrouting(ids, logits));
    std::vector<int> local;
    Values weights;
    double total = 0;
    for (const int id : ids) total += std::exp(logits[static_cast<size_t>(id)]);
    for (const int id : ids) {
      if (id < here.first || id >= here.first + here.count) continue;
      local.push_back(id - here.first);
      weights.push_back(static_cast<float>(std::exp(logits[static_cast<size_t>(id)]) / total));
    }
    for (int s = 0; s < here.shared && row >= here.shared_begin && row < here.shared_end; ++s)
      local.push_back(here.count + s), weights.push_back(1);
    return weighted_sum(f, local, weights, x);
  }

  [[nodiscard]] Values weighted_sum(int f, const std::vector<int>& experts, const Values& weights,
                                    const Values& x) const {
    Values sum(x.size(), 0), inputs;
    if (experts.empty()) return sum;
    for (size_t i = 0; i < experts.size(); ++i) append(inputs, x);
    const Layout& layout = pipeline_.shape().layout;
    use_gpu(layout.ffn[static_cast<size_t>(f)]);
    const Values outputs =
        pipeline_.ffn(f).experts_->reference(set_, experts, DeviceArray<float>(inputs));
    use_gpu(layout.attention.front());
    for (size_t i = 0; i < experts.size(); ++i)
      for (size_t j = 0; j < sum.size(); ++j) sum[j] += weights[i] * outputs[i * sum.size() + j];
    return sum;
  }

  /// How far below the last logit that belongs to the chosen ones a chosen one is; infinite for an
  /// expert that does not exist or comes twice.
  [[nodiscard]] double misrouting(const std::vector<int>& ids, const Values& logits) const {
    if (ids.empty()) return 0;
    const std::set<int> distinct(ids.begin(), ids.end());
    if (distinct.size() < ids.size() || *distinct.begin() < 0 ||
        *distinct.rbegin() >= shape_.experts)
      return INFINITY;
    Values sorted = logits;
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    double worst = 0;
    for (const int id : ids)
      worst = std::max<double>(worst, sorted[ids.size() - 1] - logits[static_cast<size_t>(id)]);
    return worst;
  }

  Pipeline& pipeline_;
  AttentionSide& side_;
  const DecodeLayer& shape_;
  int set_, copy_, micro_batch_;
  std::vector<int> rows_;
  std::vector<float2> turns_;
};

LayerErrors accepted_errors(const DecodeLayer& layer) {
  const bool fp8 = layer.projections == Precision::fp8 || layer.cache == Precision::fp8;
  return {.attention = fp8 ? 0.12 : 0.03,
          .cache = fp8 ? 0.06 : 0.02,
          .ffn = layer.ffn == Precision::fp8 ? 0.08 : 0.03,
          .routing = 0.05};
}

LayerErrors check_layer(Pipeline& pipeline, int layer, int micro_batch) {
  return LayerReference(pipeline, layer, micro_batch).errors();
}

std::string wrong_layer(const LayerErrors& errors, const LayerErrors& accepted) {
  const auto wrong = [](const char* what, double have, double most) {
    return have <= most ? std::string()
                        : fmt::format("{} {:.2g} off, more than {:.2g}", what, have, most);
  };
  for (const std::string& text :
       {wrong("attention", errors.attention, accepted.attention),
        wrong("cache", errors.cache, accepted.cache),
        wrong("routing", errors.routing, accepted.routing), wrong("FFN", errors.ffn, accepted.ffn)})
    if (!text.empty()) return text;
  return "";
}

}  // namespace afford::calibrate
