#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "combine.cuh"
#include "device.hpp"
#include "mla.cuh"
#include "mla.hpp"
#include "mla_cache.cuh"
#include "mla_fp8.cuh"

namespace afford::calibrate {

namespace {

using S = MlaShape;

constexpr double rotating_bytes = 1e9;  // of all input sets: many times any L2 cache
constexpr int most_copies = 64;

class Mla final : public DecodeAttention {
 public:
  explicit Mla(const MlaCase& mla)
      : case_(mla),
        fp8_(mla.cache == Precision::fp8),
        row_bytes_(fp8_ ? MlaEntry::bytes : S::row_bytes),
        head_tiles_((mla.heads + S::heads - 1) / S::heads) {
    const double tokens = std::accumulate(case_.lengths.begin(), case_.lengths.end(), 0.0);
    const double heads = static_cast<double>(case_.lengths.size()) * case_.heads;
    bytes = tokens * row_bytes_ + heads * (S::width + S::values) * sizeof(__nv_bfloat16);
    flops = 2 * tokens * case_.heads * (S::width + S::values);
    padded_flops = flops / case_.heads * S::heads * head_tiles_;
    plan();
    lay_out();
    fill();
    allow_shared(chosen_kernel(), S::shared_bytes);
    prepare_combine<S::values>();
  }

  void enqueue(cudaStream_t stream, int copy) override {
    const Maps& maps = maps_[static_cast<size_t>(copy)];
    input_.cache = cache_of(copy);
    launch({.blocks = schedule_.blocks() * head_tiles_,
            .threads = S::threads,
            .shared_bytes = S::shared_bytes},
           stream, chosen_kernel(), input_, maps.queries, maps.cache);
    if (!schedule_.splits.empty())
      launch_combine<S::values>(
          schedule_,
          {splits_.data(), case_.heads, partial_.data(), partial_lse_.data(), output_.data()},
          stream);
  }

  [[nodiscard]] AttentionBuffers buffers(int copy) override {
    const auto set = static_cast<size_t>(copy);
    return {queries_.data() + set * query_size(), cache_of(copy), nullptr, output_.data()};
  }

  [[nodiscard]] std::vector<int> newest_rows() const override {
    if (case_.paged) throw std::logic_error("the rows of a paged cache are not contiguous");
    std::vector<int> rows;
    int end = 0;
    for (const int length : case_.lengths) rows.push_back((end += length) - 1);
    return rows;
  }

  double error() override {
    output_.poison();
    partial_.poison();
    partial_lse_.poison();
    enqueue(nullptr, copies - 1);
    check(cudaDeviceSynchronize(), "MLA attention");
    const std::vector<int> requests = sampled_requests(), heads = sampled_heads();
    const std::vector<float> want = expected(copies - 1, requests, heads, nullptr);
    const std::vector<__nv_bfloat16> all = output_.to_host();
    for (const __nv_bfloat16 x : all)  // every output, sampled or not, must have been written
      if (!std::isfinite(__bfloat162float(x))) return INFINITY;
    std::vector<float> have;
    have.reserve(want.size());
    for (const int request : requests)
      for (const int head : heads) {
        const size_t at = (static_cast<size_t>(request) * case_.heads + head) * S::values;
        for (size_t i = 0; i < S::values; ++i) have.push_back(__bfloat162float(all[at + i]));
      }
    return relative_error(have, want);
  }

  [[nodiscard]] std::vector<float> reference(int copy, const std::vector<int>& requests,
                                             const DeviceArray<float>& queries) override {
    std::vector<int> heads(static_cast<size_t>(case_.heads));
    std::iota(heads.begin(), heads.end(), 0);
    return expected(copy, requests, heads, queries.data());
  }

 private:
  struct Maps {
    CUtensorMap queries, cache;
  };

  /// What these heads' outputs should be, with queries of their own or those of the copy (null).
  [[nodiscard]] std::vector<float> expected(int copy, const std::vector<int>& requests,
                                            const std::vector<int>& heads, const float* given) {
    input_.cache = cache_of(copy);
    const int longest = *std::max_element(case_.lengths.begin(), case_.lengths.end());
    const DeviceArray<int> chosen(requests), chosen_heads(heads), lengths(case_.lengths);
    const size_t outputs = requests.size() * heads.size();
    const DeviceArray<float> scores(outputs * static_cast<size_t>(longest)),
        output(outputs * S::values);
    const auto reference = fp8_ ? reference_kernel<true> : reference_kernel<false>;
    reference<<<dim3(static_cast<unsigned>(requests.size()), static_cast<unsigned>(heads.size())),
                S::values>>>(chosen.data(), chosen_heads.data(), given,
                             queries_.data() + static_cast<size_t>(copy) * query_size(), input_,
                             lengths.data(), scores.data(), static_cast<size_t>(longest),
                             output.data());
    check(cudaGetLastError(), "reference attention");
    return output.to_host();
  }

  [[nodiscard]] auto chosen_kernel() const -> decltype(&mla_kernel) {
    return fp8_ ? mla_fp8_kernel : mla_kernel;
  }
  [[nodiscard]] unsigned char* cache_of(int copy) const {
    return cache_.data() + static_cast<size_t>(copy) * rows_ * row_bytes_;
  }
  [[nodiscard]] size_t query_size() const {
    return case_.lengths.size() * static_cast<size_t>(case_.heads) * S::width;
  }

  void plan() {
    ScheduleRule rule;
    rule.tile_rows = S::tile;
    rule.blocks = multiprocessors() / head_tiles_;
    rule.min_tiles = case_.min_tiles > 0 ? case_.min_tiles : 2;
    rule.segment_cost = 7;  // first loads and last stores, which nothing overlaps
    rule.tolerance = 0.06;
    schedule_ = make_schedule(case_.lengths, rule);
    segments_ = DeviceArray<Segment>(schedule_.segments);
    block_begin_ = DeviceArray<int>(schedule_.block_begin);
    splits_ = DeviceArray<Split>(schedule_.splits);
    partial_ =
        DeviceArray<float>(static_cast<size_t>(schedule_.partials) * case_.heads * S::values);
    partial_lse_ = DeviceArray<float>(static_cast<size_t>(schedule_.partials) * case_.heads);
    output_ = DeviceArray<__nv_bfloat16>(case_.lengths.size() * static_cast<size_t>(case_.heads) *
                                         S::values);
  }

  /// Where each request's rows stand: one after another, or in pages drawn at random.
  void lay_out() {
    if (case_.paged) {
      std::vector<int> begin{0};
      for (const int length : case_.lengths)
        begin.push_back(begin.back() + (length + S::tile - 1) / S::tile);
      std::vector<int> pages(static_cast<size_t>(begin.back()));
      std::iota(pages.begin(), pages.end(), 0);
      std::shuffle(pages.begin(), pages.end(), std::mt19937(case_.seed));  // NOLINT: a stated seed
      rows_ = pages.size() * S::tile;
      pages_ = DeviceArray<int>(pages);
      page_begin_ = DeviceArray<int>(begin);
    } else {
      std::vector<int> first;
      for (const int length : case_.lengths) {
        first.push_back(static_cast<int>(rows_));
        rows_ += static_cast<size_t>(length);
      }
      first_row_ = DeviceArray<int>(first);
    }
  }

  void fill() {
    copies = case_.copies > 0
                 ? case_.copies
                 : std::clamp(static_cast<int>(std::ceil(rotating_bytes / bytes)), 2, most_copies);
    const auto sets = static_cast<size_t>(copies);
    queries_ = DeviceArray<__nv_bfloat16>(sets * query_size());
    // A tile's loads may go past the last entry, unless they are tensor copies.
    cache_ = DeviceArray<unsigned char>((sets * rows_ + S::tile) * row_bytes_);
    fill_normal(queries_.data(), queries_.size(), case_.seed, 1);
    if (fp8_)
      fill_entries(cache_.data(), sets * rows_, case_.seed + 1);
    else
      fill_normal(reinterpret_cast<__nv_bfloat16*>(cache_.data()), sets * rows_ * S::width,
                  case_.seed + 1, 1);
    input_ = {segments_.data(),
              block_begin_.data(),
              pages_.data(),
              page_begin_.data(),
              first_row_.data(),
              cache_.data(),
              case_.heads,
              head_tiles_,
              1.44269504f / std::sqrt(static_cast<float>(S::width)),
              output_.data(),
              partial_.data(),
              partial_lse_.data()};
    const auto heads = static_cast<uint64_t>(case_.heads);
    const MapLayout queries{{S::width, heads, case_.lengths.size()},
                            {S::row_bytes, S::row_bytes * heads},
                            {64, S::heads, 1}};
    // Of an FP8 cache the rotary columns alone.
    const auto row = static_cast<uint64_t>(row_bytes_);
    const MapLayout rows{{fp8_ ? 64u : S::width, rows_}, {row}, {64, S::tile}};
    const int first = fp8_ ? MlaEntry::at_rotary : 0;
    for (int copy = 0; copy < copies; ++copy)
      maps_.push_back(
          {make_map(queries_.data() + static_cast<size_t>(copy) * query_size(), queries),
           make_map(reinterpret_cast<const __nv_bfloat16*>(cache_of(copy) + first), rows)});
  }

  /// Up to eight requests: the first and last, the longest and shortest, and some between.
  [[nodiscard]] std::vector<int> sampled_requests() const {
    const auto count = static_cast<int>(case_.lengths.size());
    std::vector<int> chosen;
    for (int i = 0; i < 6; ++i)
      chosen.push_back(static_cast<int>(static_cast<int64_t>(count - 1) * i / 5));
    const auto [shortest, longest] =
        std::minmax_element(case_.lengths.begin(), case_.lengths.end());
    chosen.push_back(static_cast<int>(shortest - case_.lengths.begin()));
    chosen.push_back(static_cast<int>(longest - case_.lengths.begin()));
    std::sort(chosen.begin(), chosen.end());
    chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
    return chosen;
  }
  /// Up to sixteen heads, with the first and last, in every warp's rows.
  [[nodiscard]] std::vector<int> sampled_heads() const {
    std::vector<int> chosen;
    for (int i = 0; i < 16; ++i) chosen.push_back((case_.heads - 1) * i / 15);
    chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
    return chosen;
  }

  MlaCase case_;
  bool fp8_;  // the cache
  int row_bytes_, head_tiles_;
  Schedule schedule_;
  size_t rows_ = 0;
  DeviceArray<Segment> segments_;
  DeviceArray<int> block_begin_, pages_, page_begin_, first_row_;
  DeviceArray<Split> splits_;
  DeviceArray<float> partial_, partial_lse_;
  DeviceArray<__nv_bfloat16> output_, queries_;
  DeviceArray<unsigned char> cache_;
  MlaInput input_{};
  std::vector<Maps> maps_;
};

}  // namespace

std::unique_ptr<DecodeAttention> make_mla(const MlaCase& mla) { return std::make_unique<Mla>(mla); }

}  // namespace afford::calibrate
