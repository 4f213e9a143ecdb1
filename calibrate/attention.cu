#include <algorithm>
#include <numeric>
#include <random>

#include "attention.cuh"
#include "attention.hpp"
#include "combine.cuh"
#include "device.hpp"

namespace afford::calibrate {
namespace {

constexpr double rotating_bytes = 1e9;  // of all input sets: many times any L2 cache
constexpr int most_copies = 64;
constexpr int page_rows = 64;
// Calls of fewer bytes start under the end of the kernel ahead: 0.3 to 0.9 us less of some ten.
// Others gain as much or lose it; the longest take 0.4 to 0.8 % more.
constexpr double bytes_of_short_call = 10e6;

/// Where the rows of a sequence stand.
struct Places {
  const int* first_row;   // of each unit, where contiguous
  const int* pages;       // of each request, one after another; null: contiguous
  const int* page_begin;  // first page of a request in `pages`
  int tiles;              // units of a KV head
};

/// Plain attention of one query head in FP32; block (unit's place in `units`, head of the group).
/// `scores` has `stride` floats a block. `given`: queries of the units in turn, instead of those of
/// the input set; null: none.
template <class Element>
__global__ void reference_kernel(const int* units, const float* given, const Element* queries,
                                 const Element* keys, const Element* values, AttentionInput in,
                                 Places places, const int* lengths, int dim, float* scores,
                                 size_t stride, float* output) {
  const int unit = units[blockIdx.x], head = static_cast<int>(blockIdx.y),
            thread = static_cast<int>(threadIdx.x);
  const int head_of = unit / places.tiles, request = head_of / in.kv_heads,
            length = lengths[request];
  const auto row_of = [&](int token) -> size_t {
    if (places.pages == nullptr) return static_cast<size_t>(places.first_row[unit]) + token;
    const int page = places.pages[places.page_begin[request] + token / page_rows];
    return (static_cast<size_t>(page) * in.kv_heads + head_of % in.kv_heads) * page_rows +
           token % page_rows;
  };
  float* p = scores + (static_cast<size_t>(blockIdx.x) * gridDim.y + head) * stride;
  const Element* q = queries + (static_cast<size_t>(unit) * in.group + head) * dim;
  const float* f = given + (static_cast<size_t>(blockIdx.x) * in.group + head) * dim;
  float top = -INFINITY;
  for (int token = thread; token < length; token += 256) {
    const Element* k = keys + row_of(token) * dim;
    float dot = 0;
    for (int d = 0; d < dim; ++d)
      dot += (given != nullptr ? f[d] : static_cast<float>(q[d])) * static_cast<float>(k[d]);
    p[token] = dot * in.scale;
    top = fmaxf(top, p[token]);
  }
  top = ptx::reduce_block<256>(top, [](float a, float b) { return fmaxf(a, b); });
  float sum = 0;
  for (int token = thread; token < length; token += 256) sum += p[token] = exp2f(p[token] - top);
  sum = ptx::reduce_block<256>(sum, [](float a, float b) { return a + b; });
  if (thread >= dim) return;
  float out = 0;
  for (int token = 0; token < length; ++token)
    out += p[token] * static_cast<float>(values[row_of(token) * dim + thread]);
  output[(static_cast<size_t>(blockIdx.x) * in.group + head) * dim + thread] = out / sum;
}

template <class Element, int D, bool few = false>
class Attention final : public DecodeAttention {
  using S = AttentionShape<Element, D, few>;
  static constexpr auto row_bytes = static_cast<uint64_t>(D) * sizeof(Element);

 public:
  explicit Attention(const AttentionCase& attention)
      : case_(attention),
        tiles_((attention.query_heads / attention.kv_heads + S::heads - 1) / S::heads),
        group_(attention.query_heads / attention.kv_heads / tiles_) {
    const std::vector<int>& lengths = case_.lengths;
    const double tokens = std::accumulate(lengths.begin(), lengths.end(), 0.0);
    const auto requests = static_cast<double>(lengths.size());
    bytes = 2 * tokens * case_.kv_heads * D * sizeof(Element) +
            requests * case_.query_heads * D * (sizeof(Element) + sizeof(__nv_bfloat16));
    flops = 4 * tokens * case_.query_heads * D;
    padded_flops = 2 * tokens * case_.kv_heads * tiles_ * (S::heads + S::columns) * D;
    // FP8 probabilities carry 3 bits; their rounding errors average over the tokens like the values
    // do.
    tolerance = S::fp8 ? 5e-2 : 1e-2;
    allow_shared(attention_kernel<S>, S::shared_bytes);
    plan();
    lay_out();
    fill();
    prepare_combine<D>();
  }

  void enqueue(cudaStream_t stream, int copy) override {
    const Maps& maps = maps_[static_cast<size_t>(copy)];
    launch({.blocks = schedule_.blocks(),
            .threads = S::threads,
            .shared_bytes = S::shared_bytes,
            .dependent = bytes < bytes_of_short_call},
           stream, attention_kernel<S>, input_, maps.queries, maps.keys, maps.values);
    if (!schedule_.splits.empty())
      launch_combine<D>(
          schedule_, {splits_.data(), group_, partial_.data(), partial_lse_.data(), output_.data()},
          stream);
  }

  [[nodiscard]] AttentionBuffers buffers(int copy) override {
    const auto set = static_cast<size_t>(copy);
    return {queries_.data() + set * query_size(), keys_.data() + set * rows_ * D,
            values_.data() + set * rows_ * D, output_.data()};
  }

  [[nodiscard]] std::vector<int> newest_rows() const override {
    if (case_.paged) throw std::logic_error("the rows of a paged cache are not contiguous");
    std::vector<int> rows;
    int end = 0;
    for (const int length : case_.lengths)
      for (int head = 0; head < case_.kv_heads; ++head) rows.push_back((end += length) - 1);
    return rows;
  }

  double error() override {
    output_.poison();
    partial_.poison();
    partial_lse_.poison();
    enqueue(nullptr, copies - 1);
    check(cudaDeviceSynchronize(), "attention");
    const std::vector<int> units = sample();
    const std::vector<float> want = expected(copies - 1, units, nullptr);
    const std::vector<__nv_bfloat16> all = output_.to_host();
    std::vector<float> have(want.size());
    const size_t unit_size = static_cast<size_t>(group_) * D;
    for (size_t u = 0; u < units.size(); ++u)
      for (size_t i = 0; i < unit_size; ++i)
        have[u * unit_size + i] =
            __bfloat162float(all[static_cast<size_t>(units[u]) * unit_size + i]);
    for (const __nv_bfloat16 x : all)  // every output, sampled or not, must have been written
      if (!std::isfinite(__bfloat162float(x))) return INFINITY;
    return relative_error(have, want);
  }

  [[nodiscard]] std::vector<float> reference(int copy, const std::vector<int>& requests,
                                             const DeviceArray<float>& queries) override {
    std::vector<int> units;
    for (const int request : requests)
      for (int unit = 0; unit < units_each(); ++unit)
        units.push_back(request * units_each() + unit);
    return expected(copy, units, queries.data());
  }

 private:
  struct Maps {
    CUtensorMap queries, keys, values;
  };

  /// What the units' outputs should be, with queries of their own or those of the copy (null).
  [[nodiscard]] std::vector<float> expected(int copy, const std::vector<int>& units,
                                            const float* given) const {
    const int longest = *std::max_element(case_.lengths.begin(), case_.lengths.end());
    const DeviceArray<int> chosen(units), lengths(case_.lengths);
    const DeviceArray<float> scores(units.size() * group_ * longest),
        output(units.size() * group_ * D);
    const size_t rows = static_cast<size_t>(copy) * rows_ * D;
    reference_kernel<<<dim3(static_cast<unsigned>(units.size()), static_cast<unsigned>(group_)),
                       256>>>(
        chosen.data(), given, queries_.data() + static_cast<size_t>(copy) * query_size(),
        keys_.data() + rows, values_.data() + rows, input_,
        Places{first_row_.data(), pages_.data(), page_begin_.data(), tiles_}, lengths.data(), D,
        scores.data(), static_cast<size_t>(longest), output.data());
    check(cudaGetLastError(), "reference attention");
    return output.to_host();
  }

  /// Units of a request: query tiles of its KV heads.
  [[nodiscard]] int units_each() const { return case_.kv_heads * tiles_; }
  [[nodiscard]] size_t units() const {
    return case_.lengths.size() * static_cast<size_t>(units_each());
  }
  [[nodiscard]] size_t query_size() const { return units() * group_ * D; }

  void plan() {
    std::vector<int> lengths;
    for (const int length : case_.lengths)
      lengths.insert(lengths.end(), static_cast<size_t>(case_.kv_heads), length);
    ScheduleRule rule;
    rule.tile_rows = S::tile;
    rule.blocks = multiprocessors() / tiles_;
    const auto rows = std::accumulate(lengths.begin(), lengths.end(), int64_t{0});
    const bool idle =
        rows <= int64_t{rule.blocks} * S::tile;  // blocks to spare: the shortest way counts
    rule.min_tiles = case_.min_tiles > 0 ? case_.min_tiles : idle ? 1 : 2;
    schedule_ = for_query_tiles(make_schedule(lengths, rule), tiles_);
    splits_ = DeviceArray<Split>(schedule_.splits);
    partial_ = DeviceArray<float>(static_cast<size_t>(schedule_.partials) * group_ * D);
    partial_lse_ = DeviceArray<float>(static_cast<size_t>(schedule_.partials) * group_);
    output_ = DeviceArray<__nv_bfloat16>(query_size());
  }

  /// Where each sequence's rows stand: one after another, or in pages drawn at random.
  void lay_out() {
    const auto heads = static_cast<size_t>(case_.kv_heads);
    if (case_.paged) {
      std::vector<int> begin{0};
      for (const int length : case_.lengths)
        begin.push_back(begin.back() + (length + page_rows - 1) / page_rows);
      std::vector<int> pages(static_cast<size_t>(begin.back()));
      std::iota(pages.begin(), pages.end(), 0);
      std::shuffle(pages.begin(), pages.end(), std::mt19937(case_.seed));  // NOLINT: a stated seed
      rows_ = pages.size() * page_rows * heads;
      pages_ = DeviceArray<int>(pages);
      page_begin_ = DeviceArray<int>(begin);
      tasks_ = DeviceArray<Task>(tasks(begin));
    } else {
      std::vector<int> first;
      for (const int length : case_.lengths)
        for (size_t head = 0; head < heads; ++head) {
          first.insert(first.end(), static_cast<size_t>(tiles_), static_cast<int>(rows_));
          rows_ += static_cast<size_t>(length);
        }
      first_row_ = DeviceArray<int>(first);
      tasks_ = DeviceArray<Task>(tasks(first));
    }
  }

  /// The segments, each block's first one at its own index and the rest behind. `begin`: first row
  /// of each unit, or first page of each request.
  [[nodiscard]] std::vector<Task> tasks(const std::vector<int>& begin) const {
    std::vector<Task> result(schedule_.segments.size());
    int behind = schedule_.blocks();
    for (int block = 0; block < schedule_.blocks(); ++block) {
      const int from = schedule_.block_begin[static_cast<size_t>(block)];
      const int to = schedule_.block_begin[static_cast<size_t>(block) + 1];
      for (int s = from, at = block; s < to; ++s) {
        const Segment& segment = schedule_.segments[static_cast<size_t>(s)];
        const int next = s + 1 < to ? behind++ : -1, row = segment.first_tile * S::tile;
        const auto request = static_cast<size_t>(segment.unit / units_each());
        Task& task = result[static_cast<size_t>(at)];
        task = {segment.unit,
                segment.tiles,
                segment.length,
                segment.partial,
                0,
                0,
                segment.unit % units_each() / tiles_,
                next};
        task.place = case_.paged ? begin[request] + row / page_rows
                                 : begin[static_cast<size_t>(segment.unit)] + row;
        task.places_end = case_.paged ? begin[request + 1] : 0;
        at = next;
      }
    }
    return result;
  }

  void fill() {
    copies = case_.copies > 0
                 ? case_.copies
                 : std::clamp(static_cast<int>(std::ceil(rotating_bytes / bytes)), 2, most_copies);
    const auto sets = static_cast<size_t>(copies);
    queries_ = DeviceArray<Element>(sets * query_size());
    // A tile more: copies reach beyond the last row.
    keys_ = DeviceArray<Element>((sets * rows_ + S::tile) * D);
    values_ = DeviceArray<Element>((sets * rows_ + S::tile) * D);
    fill_normal(queries_.data(), queries_.size(), case_.seed, 1);
    fill_normal(keys_.data(), keys_.size(), case_.seed + 1, 1);
    fill_normal(values_.data(), values_.size(), case_.seed + 2, 1);
    input_ = {tasks_.data(),
              pages_.data(),
              case_.kv_heads,
              group_,
              1.44269504f / std::sqrt(static_cast<float>(D)),
              output_.data(),
              partial_.data(),
              partial_lse_.data()};
    const MapLayout rows = cache_layout();
    for (size_t copy = 0; copy < sets; ++copy) {
      const MapLayout heads{{D, static_cast<uint64_t>(group_), units()},
                            {row_bytes, row_bytes * static_cast<uint64_t>(group_)},
                            {S::chunk_elements, S::columns, 1}};
      maps_.push_back({make_map(queries_.data() + copy * query_size(), heads),
                       make_map(keys_.data() + copy * rows_ * D, rows),
                       make_map(values_.data() + copy * rows_ * D, rows)});
    }
  }

  /// Keys or values as the kernel copies them: [8-row group][row][column of 128 bytes], from any
  /// row on. Rows of one column need no groups.
  [[nodiscard]] MapLayout cache_layout() const {
    if (S::chunks == 1) return {{D, rows_}, {row_bytes}, {S::chunk_elements, S::page_rows}};
    const uint32_t groups = (case_.paged ? S::page_rows : S::tile) / 8;
    return {{S::chunk_elements, rows_, S::chunks, groups},
            {row_bytes, 128, 8 * row_bytes},
            {S::chunk_elements, 8, S::chunks, groups}};
  }

  /// Up to eight units: the first and last, the longest and shortest, and some between.
  [[nodiscard]] std::vector<int> sample() const {
    const auto count = static_cast<int>(units());
    std::vector<int> chosen;
    for (int i = 0; i < 6; ++i)
      chosen.push_back(static_cast<int>(static_cast<int64_t>(count - 1) * i / 5));
    const auto [shortest, longest] =
        std::minmax_element(case_.lengths.begin(), case_.lengths.end());
    chosen.push_back(static_cast<int>(shortest - case_.lengths.begin()) * units_each());
    chosen.push_back(static_cast<int>(longest - case_.lengths.begin()) * units_each() +
                     units_each() - 1);
    std::sort(chosen.begin(), chosen.end());
    chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
    return chosen;
  }

  AttentionCase case_;
  int tiles_, group_;  // query tiles of a KV head, and the heads of each
  Schedule schedule_;
  size_t rows_ = 0;
  DeviceArray<Task> tasks_;
  DeviceArray<int> pages_, page_begin_, first_row_;
  DeviceArray<Split> splits_;
  DeviceArray<float> partial_, partial_lse_;
  DeviceArray<__nv_bfloat16> output_;
  DeviceArray<Element> queries_, keys_, values_;
  AttentionInput input_{};
  std::vector<Maps> maps_;
};

template <class Element>
std::unique_ptr<DecodeAttention> make(const AttentionCase& attention) {
  constexpr bool fp8 = sizeof(Element) == 1;
  if (attention.head_dim == 256) return std::make_unique<Attention<Element, 256>>(attention);
  if (fp8 && attention.query_heads <= 16 * attention.kv_heads)
    return std::make_unique<Attention<Element, 128, fp8>>(attention);
  return std::make_unique<Attention<Element, 128>>(attention);
}

}  // namespace

std::unique_ptr<DecodeAttention> make_attention(const AttentionCase& attention) {
  if (attention.precision == Precision::fp8) return make<__nv_fp8_e4m3>(attention);
  return make<__nv_bfloat16>(attention);
}

}  // namespace afford::calibrate
