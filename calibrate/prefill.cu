#include <algorithm>
#include <cmath>
#include <vector>

#include "device.hpp"
#include "prefill.cuh"
#include "prefill.hpp"

namespace afford::calibrate {
namespace {

constexpr double rotating_bytes = 2e8;  // of all input sets: some times any L2 cache
constexpr int most_copies = 8;
/// Keys and values worked on together: with their queries and outputs they stay in the L2 cache.
constexpr double section_bytes = 16e6;

/// An output row that is checked.
struct Sample {
  int sequence, token, head;
};

struct Dims {
  int key, value;
};

/// Plain attention of one query of one head in FP32; block: its sample. `scores` has `stride`
/// floats a block.
__global__ void reference_kernel(const Sample* samples, const __nv_bfloat16* queries,
                                 const __nv_bfloat16* keys, const __nv_bfloat16* values,
                                 PrefillInput in, Dims dims, float* scores, size_t stride,
                                 float* output) {
  const Sample at = samples[blockIdx.x];
  const int thread = static_cast<int>(threadIdx.x), kv_heads = in.heads / in.group;
  const int seen = in.prefix + at.token + 1;
  const size_t first = static_cast<size_t>(at.sequence) * (in.prefix + in.tokens);
  const auto row_of = [&](int token) { return (first + token) * kv_heads + at.head / in.group; };
  const __nv_bfloat16* q =
      queries +
      ((static_cast<size_t>(at.sequence) * in.tokens + at.token) * in.heads + at.head) * dims.key;
  float* p = scores + blockIdx.x * stride;
  float top = -INFINITY;
  for (int token = thread; token < seen; token += 256) {
    const __nv_bfloat16* k = keys + row_of(token) * dims.key;
    float dot = 0;
    for (int d = 0; d < dims.key; ++d) dot += static_cast<float>(q[d]) * static_cast<float>(k[d]);
    p[token] = dot * in.scale;
    top = fmaxf(top, p[token]);
  }
  top = ptx::reduce_block<256>(top, [](float a, float b) { return fmaxf(a, b); });
  float sum = 0;
  for (int token = thread; token < seen; token += 256) sum += p[token] = exp2f(p[token] - top);
  sum = ptx::reduce_block<256>(sum, [](float a, float b) { return a + b; });
  if (thread >= dims.value) return;
  float out = 0;
  for (int token = 0; token < seen; ++token)
    out += p[token] * static_cast<float>(values[row_of(token) * dims.value + thread]);
  output[static_cast<size_t>(blockIdx.x) * dims.value + thread] = out / sum;
}

template <class S>
class Prefill final : public Work {
 public:
  explicit Prefill(const PrefillCase& prefill) : case_(prefill) {
    count();
    allow_shared(prefill_kernel<S>, S::shared_bytes);
    fill();
  }

  void enqueue(cudaStream_t stream, int copy) override {
    launch({.blocks = blocks_, .threads = S::threads, .shared_bytes = S::shared_bytes}, stream,
           prefill_kernel<S>, input_, maps_[static_cast<size_t>(copy)]);
  }

  double error() override {
    output_.poison();
    enqueue(nullptr, copies - 1);
    check(cudaDeviceSynchronize(), "prefill attention");
    const std::vector<Sample> samples = sample();
    const std::vector<float> want = expected(copies - 1, samples);
    const std::vector<__nv_bfloat16> all = output_.to_host();
    for (const __nv_bfloat16 x : all)  // every output, sampled or not, must have been written
      if (!std::isfinite(__bfloat162float(x))) return INFINITY;
    std::vector<float> have;
    for (const Sample& at : samples) {
      const size_t row =
          (static_cast<size_t>(at.sequence) * case_.tokens + at.token) * case_.query_heads +
          at.head;
      for (size_t d = 0; d < S::value_dim; ++d)
        have.push_back(__bfloat162float(all[row * S::value_dim + d]));
    }
    return relative_error(have, want);
  }

 private:
  [[nodiscard]] size_t query_rows() const {
    return static_cast<size_t>(case_.sequences) * case_.tokens * case_.query_heads;
  }
  [[nodiscard]] size_t key_rows() const {
    return static_cast<size_t>(case_.sequences) * (case_.prefix + case_.tokens) * case_.kv_heads;
  }

  /// What a call moves and computes.
  void count() {
    const double heads = 1.0 * case_.sequences * case_.query_heads, tokens = case_.tokens,
                 both = S::key_dim + S::value_dim;
    double tiles = 0;
    for (int first = 0; first < case_.tokens; first += S::block_rows)
      tiles += prefill::key_tiles<S>(case_.tokens, case_.prefix, first);
    bytes = 2 * both * static_cast<double>(query_rows() + key_rows());
    flops = 2 * both * heads * tokens * (case_.prefix + (tokens + 1) / 2);
    padded_flops = 2 * both * heads * tiles * S::block_rows * S::tile;
  }

  void fill() {
    const double key_set = 2.0 * (S::key_dim + S::value_dim) * static_cast<double>(key_rows());
    copies = std::clamp(static_cast<int>(std::ceil(rotating_bytes / bytes)), 2, most_copies);
    const auto sets = static_cast<size_t>(copies);
    queries_ = DeviceArray<__nv_bfloat16>(sets * query_rows() * S::key_dim);
    keys_ = DeviceArray<__nv_bfloat16>(sets * key_rows() * S::key_dim);
    values_ = DeviceArray<__nv_bfloat16>(sets * key_rows() * S::value_dim);
    output_ = DeviceArray<__nv_bfloat16>(query_rows() * S::value_dim);
    counter_ = DeviceArray<int>(1);
    counter_.zero();
    fill_normal(queries_.data(), queries_.size(), case_.seed, 1);
    fill_normal(keys_.data(), keys_.size(), case_.seed + 1, 1);
    fill_normal(values_.data(), values_.size(), case_.seed + 2, 1);
    const int query_tiles = (case_.tokens + S::block_rows - 1) / S::block_rows,
              kv_units = case_.sequences * case_.kv_heads;
    input_ = {case_.tokens,
              case_.prefix,
              case_.query_heads,
              case_.query_heads / case_.kv_heads,
              query_tiles,
              std::clamp(static_cast<int>(section_bytes * kv_units / key_set), 1, kv_units),
              kv_units,
              1.44269504f / std::sqrt(static_cast<float>(S::key_dim)),
              counter_.data(),
              output_.data()};
    blocks_ = std::min(multiprocessors(), case_.sequences * case_.query_heads * query_tiles);
    for (size_t copy = 0; copy < sets; ++copy) {
      const int all = case_.prefix + case_.tokens;
      maps_.push_back({map(queries_.data() + copy * query_rows() * S::key_dim, S::key_dim,
                           case_.query_heads, case_.tokens, S::rows),
                       map(keys_.data() + copy * key_rows() * S::key_dim, S::key_dim,
                           case_.kv_heads, all, S::tile),
                       map(values_.data() + copy * key_rows() * S::value_dim, S::value_dim,
                           case_.kv_heads, all, S::tile)});
    }
  }

  /// Of [sequence][token][head][dim], in boxes of `rows` tokens of a head.
  [[nodiscard]] CUtensorMap map(const __nv_bfloat16* data, uint64_t dim, int heads, int tokens,
                                uint32_t rows) const {
    const auto all = static_cast<uint64_t>(heads), each = static_cast<uint64_t>(tokens);
    return make_map(data, {{dim, each, all, static_cast<uint64_t>(case_.sequences)},
                           {2 * dim * all, 2 * dim, 2 * dim * all * each},
                           {64, rows, 1, 1}});
  }

  /// All rows of a small case; of a larger one some 500, those around the edges of tiles first.
  [[nodiscard]] std::vector<Sample> sample() const {
    constexpr size_t most = 512;
    std::vector<int> tokens;
    if (query_rows() <= most) {
      for (int t = 0; t < case_.tokens; ++t) tokens.push_back(t);
    } else {
      for (const int t : {0, 1, 62, 63, 64, 65, 126, 127, 128, 129, 191, 192})
        for (const int token : {t, case_.tokens - 1 - t})
          if (token >= 0 && token < case_.tokens) tokens.push_back(token);
      for (int i = 1; i < 16; ++i)
        tokens.push_back(static_cast<int>(int64_t{case_.tokens} * i / 16));
    }
    std::vector<Sample> samples;
    const int heads = case_.query_heads;
    const auto step = std::max(
        1, heads * case_.sequences * static_cast<int>(tokens.size()) / static_cast<int>(most));
    int place = 0;  // strides that share no factor with the number of heads reach all of them
    for (int sequence = 0; sequence < case_.sequences; ++sequence)
      for (const int token : tokens)
        for (int head = place++ % step; head < heads; head += step)
          samples.push_back({sequence, token, head});
    return samples;
  }

  [[nodiscard]] std::vector<float> expected(int copy, const std::vector<Sample>& samples) const {
    const auto set = static_cast<size_t>(copy);
    const auto stride = static_cast<size_t>(case_.prefix) + case_.tokens;
    const DeviceArray<Sample> chosen(samples);
    const DeviceArray<float> scores(samples.size() * stride), output(samples.size() * S::value_dim);
    reference_kernel<<<static_cast<unsigned>(samples.size()), 256>>>(
        chosen.data(), queries_.data() + set * query_rows() * S::key_dim,
        keys_.data() + set * key_rows() * S::key_dim,
        values_.data() + set * key_rows() * S::value_dim, input_, Dims{S::key_dim, S::value_dim},
        scores.data(), stride, output.data());
    check(cudaGetLastError(), "reference attention");
    return output.to_host();
  }

  PrefillCase case_;
  DeviceArray<__nv_bfloat16> queries_, keys_, values_, output_;
  DeviceArray<int> counter_;
  PrefillInput input_{};
  int blocks_ = 1;
  std::vector<prefill::PrefillMaps> maps_;
};

}  // namespace

std::unique_ptr<Work> make_prefill(const PrefillCase& prefill) {
  if (prefill.key_dim == 256) return std::make_unique<Prefill<PrefillShape<256, 256, 80>>>(prefill);
  if (prefill.key_dim == 192)
    return std::make_unique<Prefill<PrefillShape<192, 128, 128>>>(prefill);
  return std::make_unique<Prefill<PrefillShape<128, 128, 128>>>(prefill);
}

}  // namespace afford::calibrate
