#include <algorithm>
#include <cmath>
#include <numeric>

#include "device.hpp"
#include "moe.cuh"
#include "moe.hpp"

namespace afford::calibrate {
namespace {

constexpr double rotating_bytes =
    4e9;  // of all input sets: one is enough when it is a hundred L2 caches
constexpr int most_copies = 32;
constexpr int spare_rows = 256;  // of scales past the last token, which a tile may read

using MoeKernel = void (*)(MoeInput, CUtensorMap);

struct KernelChoice {
  MoeKernel kernel = nullptr;
  int shared_bytes = 0, threads = 0, cluster = 1;
};

template <class S>
KernelChoice chosen() {
  return {moe_kernel<S>, S::shared_bytes, S::threads, S::cluster};
}

template <class Element, bool gate_up>
KernelChoice choose(const MoeTiling& tiling) {
  if (tiling.pairs) return chosen<MoeShape<Element, gate_up, 128, true>>();
  switch (tiling.columns) {
    case 8:
      return chosen<MoeShape<Element, gate_up, 8, false>>();
    case 16:
      return chosen<MoeShape<Element, gate_up, 16, false>>();
    case 24:
      return chosen<MoeShape<Element, gate_up, 24, false>>();
    case 32:
      return chosen<MoeShape<Element, gate_up, 32, false>>();
    case 48:
      return chosen<MoeShape<Element, gate_up, 48, false>>();
    case 64:
      return chosen<MoeShape<Element, gate_up, 64, false>>();
    default:
      return chosen<MoeShape<Element, gate_up, 128, false>>();
  }
}

/// Blocks, or clusters of blocks, that run at the same time.
int resident(const KernelChoice& choice) {
  if (choice.cluster == 1) return multiprocessors();
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(static_cast<unsigned>(multiprocessors() / choice.cluster * choice.cluster));
  config.blockDim = dim3(static_cast<unsigned>(choice.threads));
  config.dynamicSmemBytes = static_cast<size_t>(choice.shared_bytes);
  cudaLaunchAttribute cluster{};
  cluster.id = cudaLaunchAttributeClusterDimension;
  cluster.val.clusterDim = {static_cast<unsigned>(choice.cluster), 1, 1};
  config.attrs = &cluster;
  config.numAttrs = 1;
  int count = 0;
  check(cudaOccupancyMaxActiveClusters(&count, choice.kernel, &config), "clusters at a time");
  return count;
}

// --- reference
// -----------------------------------------------------------------------------------------------

/// A token whose outputs are checked.
struct Sample {
  int row, expert;
};

/// The weights of one product as the kernel's layout has them, and its size.
struct Weights {
  const unsigned char* data;
  const float2* scales;
  int tiles, k;
};

/// Element (row of a tile, k), dequantised.
template <class Element>
__device__ float weight(const Weights& weights, int expert, int tile, int row, int k, bool second) {
  constexpr int block_k = 128 / static_cast<int>(sizeof(Element));
  const int blocks = (weights.k + block_k - 1) / block_k,
            byte = k % block_k * static_cast<int>(sizeof(Element));
  const size_t block = (static_cast<size_t>(expert) * weights.tiles + tile) * blocks + k / block_k;
  const auto* at =
      weights.data + block * 256 * 128 + row * 128 + ((byte / 16) ^ (row & 7)) * 16 + byte % 16;
  const auto value = static_cast<float>(*reinterpret_cast<const Element*>(at));
  if constexpr (sizeof(Element) == 2) return value;
  return value * (second ? weights.scales[block].y : weights.scales[block].x);
}

/// One warp sums over k.
template <class Term>
__device__ float warp_sum(int size, Term term) {
  float sum = 0;
  for (int k = static_cast<int>(threadIdx.x) % 32; k < size; k += 32) sum += term(k);
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(~0u, sum, step);
  return sum;
}

/// Dequantised rows of the samples, [sample][size].
template <class Element>
__global__ void dequantise(const Sample* samples, const Element* data, const float* scales,
                           int scale_stride, int size, float* output) {
  const Sample sample = samples[blockIdx.x];
  for (int k = static_cast<int>(threadIdx.x); k < size; k += static_cast<int>(blockDim.x)) {
    const float scale =
        sizeof(Element) == 1 ? scales[static_cast<size_t>(k / 128) * scale_stride + sample.row] : 1;
    output[static_cast<size_t>(blockIdx.x) * size + k] =
        scale * static_cast<float>(data[static_cast<size_t>(sample.row) * size + k]);
  }
}

/// SwiGLU of the two projections in FP32; block (sample, 8 features).
template <class Element>
__global__ void reference_gate_up(const Sample* samples, Weights weights, const float* input,
                                  int features, float* output) {
  const int feature = static_cast<int>(blockIdx.y * 8 + threadIdx.x / 32),
            expert = samples[blockIdx.x].expert;
  const float* x = input + static_cast<size_t>(blockIdx.x) * weights.k;
  const auto project = [&](bool up) {
    const int row = weight_row<true>(feature % 128, up);
    return warp_sum(weights.k, [&](int k) {
      return x[k] * weight<Element>(weights, expert, feature / 128, row, k, up);
    });
  };
  const float gate = project(false), up = project(true);
  output[static_cast<size_t>(blockIdx.x) * features + feature] = gate / (1 + expf(-gate)) * up;
}

template <class Element>
__global__ void reference_down(const Sample* samples, Weights weights, const float* input,
                               int features, float* output) {
  const int feature = static_cast<int>(blockIdx.y * 8 + threadIdx.x / 32),
            expert = samples[blockIdx.x].expert;
  const float* x = input + static_cast<size_t>(blockIdx.x) * weights.k;
  const int row = weight_row<false>(feature % 256, false);
  output[static_cast<size_t>(blockIdx.x) * features + feature] = warp_sum(weights.k, [&](int k) {
    return x[k] * weight<Element>(weights, expert, feature / 256, row, k, row >= 128);
  });
}

template <class T>
__global__ void count_not_finite(const T* data, size_t size, int* count) {
  const size_t stride = size_t{gridDim.x} * blockDim.x;
  for (size_t i = size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < size; i += stride)
    if (!isfinite(static_cast<float>(data[i]))) atomicAdd(count, 1);
}

template <class T>
bool all_finite(const T* data, size_t size) {
  DeviceArray<int> count(1);
  count.zero();
  count_not_finite<<<1024, 256>>>(data, size, count.data());
  check(cudaGetLastError(), "check of outputs");
  return count.to_host()[0] == 0;
}

// --- the work
// ------------------------------------------------------------------------------------------------

constexpr int ceil_div(int a, int b) { return (a + b - 1) / b; }

template <class Element>
class Moe final : public Experts {
  static constexpr bool fp8 = sizeof(Element) == 1;
  static constexpr int block_k = 128 / static_cast<int>(sizeof(Element));

  /// One of the two products.
  struct Product {
    int k = 0, features = 0, rows = 0;  // rows of weights of an expert
    int tiles = 0, k_blocks = 0;
    DeviceArray<unsigned char> weights;  // of all copies
    DeviceArray<float2> scales;

    Product(int k_size, int outputs, int weight_rows)
        : k(k_size),
          features(outputs),
          rows(weight_rows),
          tiles(ceil_div(rows, 256)),
          k_blocks(ceil_div(k, block_k)) {}
    [[nodiscard]] size_t blocks(size_t experts) const {
      return experts * static_cast<size_t>(tiles) * static_cast<size_t>(k_blocks);
    }
  };

  /// Who computes what of one of them.
  struct Shares {
    KernelChoice kernel;
    DeviceArray<MoeSegment> segments;
    DeviceArray<int> segment_begin, partial_ready;
    DeviceArray<float> partial;
    int blocks_used = 0;
  };

  /// A routing of the tokens.
  struct Plan {
    MoeTiling tiling;
    bool reread = false;  // some expert's weights are read by more than one token tile
    Shares gate_up, down;
    std::vector<CUtensorMap> input_maps, middle_maps;  // of each copy
  };

 public:
  explicit Moe(const MoeCase& moe)
      : case_(moe),
        total_(std::accumulate(moe.tokens.begin(), moe.tokens.end(), 0)),
        rows_(std::max(total_, spare_rows)),
        stride_(total_ + spare_rows),
        gate_up_(moe.hidden, moe.intermediate, 2 * moe.intermediate),
        down_(moe.intermediate, moe.hidden, moe.hidden) {
    // FP8 rounds what passes between the two products to 3 bits, 2.6 % of it.
    tolerance = fp8 ? 4e-2 : 1e-2;
    plans_.push_back(planned(moe.tokens, moe.tiling ? *moe.tiling : choose_tiling(moe.tokens)));
    count();
    fill();
    map(plans_.front());
    check(cudaDeviceSynchronize(), "fill");
  }

  void enqueue(cudaStream_t stream, int copy) override { enqueue_plan(stream, copy, 0); }

  void enqueue_plan(cudaStream_t stream, int copy, int plan) override {
    const Plan& how = plans_[static_cast<size_t>(plan)];
    if (case_.part != MoePart::down) start(gate_up_, how, stream, copy, false);
    if (case_.part != MoePart::gate_up) start(down_, how, stream, copy, case_.part == MoePart::ffn);
  }

  [[nodiscard]] int add_plan(const std::vector<int>& tokens) override {
    if (std::accumulate(tokens.begin(), tokens.end(), 0) > total_)
      throw std::logic_error("more tokens than the experts have room for");
    plans_.push_back(planned(tokens, choose_tiling(tokens)));
    map(plans_.back());
    return static_cast<int>(plans_.size()) - 1;
  }

  [[nodiscard]] ExpertBuffers buffers(int copy) override {
    const auto set = static_cast<size_t>(copy);
    return {input_.data() + set * rows_ * case_.hidden, input_scales(set), stride_, output_.data()};
  }

  [[nodiscard]] std::vector<float> reference(int copy, const std::vector<int>& experts,
                                             const DeviceArray<float>& inputs) override {
    std::vector<Sample> samples;
    for (const int expert : experts) samples.push_back({0, expert});
    return expected_of(DeviceArray<Sample>(samples), static_cast<size_t>(copy), inputs);
  }

  double error() override {
    output_.poison();
    if (case_.part != MoePart::down) middle_.poison(), middle_scales_.poison();
    enqueue(nullptr, copies - 1);
    check(cudaDeviceSynchronize(), "expert networks");
    const bool whole = case_.part != MoePart::gate_up;
    const size_t size = static_cast<size_t>(total_) * (whole ? case_.hidden : case_.intermediate);
    if (!(whole ? all_finite(output_.data(), size) : all_finite(middle_.data(), size)))
      return INFINITY;
    const std::vector<Sample> chosen = sample();
    const DeviceArray<Sample> samples(chosen);
    return relative_error(outcome(samples), expected(samples));
  }

 private:
  void count() {
    const auto active = static_cast<double>(std::count_if(case_.tokens.begin(), case_.tokens.end(),
                                                          [](int count) { return count > 0; }));
    const double h = case_.hidden, i = case_.intermediate, e = sizeof(Element), t = total_,
                 weight = e + (fp8 ? 4.0 / (128 * 128) : 0), activation = e + (fp8 ? 4.0 / 128 : 0);
    for (const Product* product : {&gate_up_, &down_}) {
      if (product == &gate_up_ ? case_.part == MoePart::down : case_.part == MoePart::gate_up)
        continue;
      bytes += active * weight * product->rows * product->k + t * activation * product->k;
      bytes += t * (product == &gate_up_ ? activation * i : 2 * h);
      flops += 2 * t * product->rows * product->k;
      const Plan& plan = plans_.front();
      const int columns = plan.tiling.columns * plan.gate_up.kernel.cluster;
      for (const MoeTile& tile : make_tiles(case_.tokens, product->tiles, plan.tiling))
        padded_flops += tile.tokens > 0 ? 2.0 * 256 * columns * product->k_blocks * block_k : 0;
    }
  }

  /// Random operands such that every product's outputs have a standard deviation near one. The
  /// standard deviation of FP8 operands is what scaling a block's largest to 448 leaves.
  void fill() {
    copies = case_.copies > 0
                 ? case_.copies
                 : std::clamp(static_cast<int>(std::ceil(rotating_bytes / bytes)), 1, most_copies);
    const auto sets = static_cast<size_t>(copies);
    constexpr float spread = fp8 ? 110 : 1;
    unsigned seed = case_.seed;
    const auto fill_weights = [&](Product& product) {
      const size_t blocks = product.blocks(case_.tokens.size());
      product.weights = DeviceArray<unsigned char>(sets * blocks * 256 * 128);
      const float scale = 1 / std::sqrt(static_cast<float>(product.k));
      fill_normal(reinterpret_cast<Element*>(product.weights.data()),
                  product.weights.size() / sizeof(Element), ++seed, fp8 ? spread : scale);
      if (!fp8) return;
      product.scales = DeviceArray<float2>(sets * blocks);
      fill_uniform(reinterpret_cast<float*>(product.scales.data()), 2 * sets * blocks, ++seed,
                   0.8f * scale / spread, 1.2f * scale / spread);
    };
    const auto fill_tokens = [&](DeviceArray<Element>& data, DeviceArray<float>& scales,
                                 size_t count, int size) {
      data = DeviceArray<Element>(count * rows_ * size);
      fill_normal(data.data(), data.size(), ++seed, spread);
      if (!fp8) return;
      scales = DeviceArray<float>(count * stride_ * ceil_div(size, 128));
      fill_uniform(scales.data(), scales.size(), ++seed, 0.8f / spread, 1.2f / spread);
    };
    fill_tokens(input_, input_scales_, case_.part == MoePart::down ? 0 : sets, case_.hidden);
    fill_tokens(middle_, middle_scales_, case_.part == MoePart::down ? sets : 1,
                case_.intermediate);
    if (case_.part != MoePart::down) fill_weights(gate_up_);
    if (case_.part != MoePart::gate_up) {
      fill_weights(down_);
      output_ = DeviceArray<__nv_bfloat16>(static_cast<size_t>(total_) * case_.hidden);
    }
  }

  /// The tensor maps of a plan, once there is memory to point to.
  void map(Plan& plan) const {
    const auto map_of = [&](const Element* data, int size) {
      return make_map(data, {{static_cast<uint64_t>(size), static_cast<uint64_t>(rows_)},
                             {static_cast<uint64_t>(size) * sizeof(Element)},
                             {block_k, static_cast<uint32_t>(plan.tiling.columns)}});
    };
    for (size_t copy = 0; copy < static_cast<size_t>(copies); ++copy) {
      if (case_.part != MoePart::down)
        plan.input_maps.push_back(
            map_of(input_.data() + copy * rows_ * case_.hidden, case_.hidden));
      plan.middle_maps.push_back(map_of(middle(copy), case_.intermediate));
    }
  }

  /// The rows between the two products: of the copy where they are the input, else one set for all.
  [[nodiscard]] Element* middle(size_t copy) const {
    return middle_.data() + (case_.part == MoePart::down ? copy * rows_ * case_.intermediate : 0);
  }
  [[nodiscard]] float* middle_scales(size_t copy) const {
    const size_t size = static_cast<size_t>(stride_) * ceil_div(case_.intermediate, 128);
    return middle_scales_.data() + (fp8 && case_.part == MoePart::down ? copy * size : 0);
  }
  [[nodiscard]] float* input_scales(size_t copy) const {
    return input_scales_.data() + (fp8 ? copy * stride_ * ceil_div(case_.hidden, 128) : 0);
  }

  [[nodiscard]] Plan planned(const std::vector<int>& tokens, const MoeTiling& tiling) const {
    const int covered = tiling.columns * (tiling.pairs ? 2 : 1);
    Plan plan;
    plan.tiling = tiling;
    plan.reread = std::any_of(tokens.begin(), tokens.end(),
                              [&](int tokens_of_one) { return tokens_of_one > covered; });
    plan.gate_up = shares(gate_up_, tokens, tiling, choose<Element, true>(tiling));
    plan.down = shares(down_, tokens, tiling, choose<Element, false>(tiling));
    return plan;
  }

  [[nodiscard]] static Shares shares(const Product& product, const std::vector<int>& tokens,
                                     const MoeTiling& tiling, const KernelChoice& kernel) {
    allow_shared(kernel.kernel, static_cast<size_t>(kernel.shared_bytes));
    const MoeSchedule schedule =
        deal_tiles(make_tiles(tokens, product.tiles, tiling), product.k_blocks, resident(kernel));
    const auto slots = static_cast<size_t>(schedule.slots) * kernel.cluster;
    Shares shares;
    shares.kernel = kernel;
    shares.blocks_used = schedule.blocks() * kernel.cluster;
    shares.segments = DeviceArray<MoeSegment>(schedule.segments);
    shares.segment_begin = DeviceArray<int>(schedule.begin);
    shares.partial = DeviceArray<float>(slots * 256 * tiling.columns);
    shares.partial_ready = DeviceArray<int>(slots * 8);
    shares.partial_ready.zero();
    return shares;
  }

  void start(const Product& product, const Plan& plan, cudaStream_t stream, int copy,
             bool dependent) {
    const auto set = static_cast<size_t>(copy);
    const size_t blocks = set * product.blocks(case_.tokens.size());
    const bool up = &product == &gate_up_;
    const Shares& shares = up ? plan.gate_up : plan.down;
    const MoeInput in{shares.segments.data(),
                      shares.segment_begin.data(),
                      shares.partial.data(),
                      shares.partial_ready.data(),
                      product.k_blocks,
                      product.tiles,
                      product.rows,
                      plan.reread,
                      product.weights.data() + blocks * 256 * 128,
                      product.scales.data() + (fp8 ? blocks : 0),
                      up ? input_scales(set) : middle_scales(set),
                      stride_,
                      up ? static_cast<void*>(middle(set)) : static_cast<void*>(output_.data()),
                      product.features,
                      up ? middle_scales(set) : nullptr};
    launch({.blocks = shares.blocks_used,
            .threads = shares.kernel.threads,
            .shared_bytes = static_cast<size_t>(shares.kernel.shared_bytes),
            .cluster = shares.kernel.cluster,
            .dependent = dependent},
           stream, shares.kernel.kernel, in, (up ? plan.input_maps : plan.middle_maps)[set]);
  }

  /// First, middle and last tokens of the first, last, fullest and emptiest expert that has any.
  [[nodiscard]] std::vector<Sample> sample() const {
    std::vector<int> first_row{0}, active;
    for (int expert = 0; expert < static_cast<int>(case_.tokens.size()); ++expert) {
      const int count = case_.tokens[static_cast<size_t>(expert)];
      first_row.push_back(first_row.back() + count);
      if (count > 0) active.push_back(expert);
    }
    const auto fewer = [&](int a, int b) {
      return case_.tokens[static_cast<size_t>(a)] < case_.tokens[static_cast<size_t>(b)];
    };
    const auto [least, most] = std::minmax_element(active.begin(), active.end(), fewer);
    std::vector<Sample> samples;
    for (const int expert : {active.front(), active.back(), *least, *most}) {
      const int begin = first_row[static_cast<size_t>(expert)],
                end = first_row[static_cast<size_t>(expert) + 1];
      for (const int row : {begin, (begin + end) / 2, end - 1}) samples.push_back({row, expert});
    }
    return samples;
  }

  /// The rows the last call wrote for the samples.
  [[nodiscard]] std::vector<float> outcome(const DeviceArray<Sample>& samples) const {
    const bool whole = case_.part != MoePart::gate_up;
    const int size = whole ? case_.hidden : case_.intermediate;
    const DeviceArray<float> rows(samples.size() * size);
    const auto blocks = static_cast<unsigned>(samples.size());
    if (whole)
      dequantise<<<blocks, 256>>>(samples.data(), output_.data(), nullptr, 0, size, rows.data());
    else
      dequantise<<<blocks, 256>>>(samples.data(), middle_.data(), middle_scales_.data(), stride_,
                                  size, rows.data());
    check(cudaGetLastError(), "outputs");
    return rows.to_host();
  }

  [[nodiscard]] std::vector<float> expected(const DeviceArray<Sample>& samples) const {
    const auto set = static_cast<size_t>(copies - 1), count = samples.size();
    const auto blocks = static_cast<unsigned>(count);
    const bool down = case_.part == MoePart::down;
    const int size = down ? case_.intermediate : case_.hidden;
    const DeviceArray<float> input(count * size);
    if (down)
      dequantise<<<blocks, 256>>>(samples.data(), middle(set), middle_scales(set), stride_, size,
                                  input.data());
    else
      dequantise<<<blocks, 256>>>(samples.data(), input_.data() + set * rows_ * size,
                                  input_scales(set), stride_, size, input.data());
    check(cudaGetLastError(), "reference");
    return expected_of(samples, set, input);
  }

  /// What the samples' experts make of [sample][hidden], of the down projection [sample][k].
  [[nodiscard]] std::vector<float> expected_of(const DeviceArray<Sample>& samples, size_t set,
                                               const DeviceArray<float>& input) const {
    const size_t count = samples.size();
    const auto of = [&](const Product& product) {
      const size_t blocks = set * product.blocks(case_.tokens.size());
      return Weights{product.weights.data() + blocks * 256 * 128,
                     product.scales.data() + (fp8 ? blocks : 0), product.tiles, product.k};
    };
    const auto grid = [&](int features) {
      return dim3(static_cast<unsigned>(count), static_cast<unsigned>(features / 8));
    };
    const DeviceArray<float> middle_rows(count * case_.intermediate), output(count * case_.hidden);
    if (case_.part != MoePart::down)
      reference_gate_up<Element><<<grid(case_.intermediate), 256>>>(
          samples.data(), of(gate_up_), input.data(), case_.intermediate, middle_rows.data());
    check(cudaGetLastError(), "reference");
    if (case_.part == MoePart::gate_up) return middle_rows.to_host();
    reference_down<Element><<<grid(case_.hidden), 256>>>(
        samples.data(), of(down_), case_.part == MoePart::down ? input.data() : middle_rows.data(),
        case_.hidden, output.data());
    check(cudaGetLastError(), "reference");
    return output.to_host();
  }

  MoeCase case_;
  int total_;          // tokens of all experts
  int rows_, stride_;  // of token arrays, of their scales
  Product gate_up_, down_;
  DeviceArray<Element> input_, middle_;
  DeviceArray<float> input_scales_, middle_scales_;  // [block of 128][stride_]
  DeviceArray<__nv_bfloat16> output_;
  std::vector<Plan> plans_;
};

}  // namespace

std::unique_ptr<Experts> make_moe(const MoeCase& moe) {
  if (moe.precision == Precision::fp8) return std::make_unique<Moe<__nv_fp8_e4m3>>(moe);
  return std::make_unique<Moe<__nv_bfloat16>>(moe);
}

}  // namespace afford::calibrate
