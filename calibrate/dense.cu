#include <algorithm>
#include <cmath>

#include "dense.hpp"
#include "device.hpp"

namespace afford::calibrate {
namespace {

constexpr double rotating_bytes = 1e9;
constexpr int most_copies = 64, most_candidates = 24, rows_checked = 8;
constexpr size_t workspace_bytes = size_t{64} << 20;

void check_lt(cublasStatus_t status, const char* what) {
  if (status != CUBLAS_STATUS_SUCCESS)
    throw CudaError(std::string("cuBLASLt ") + what + ": status " + std::to_string(status));
}

constexpr int scale_block = 128;

int blocks_of(int size) { return (size + scale_block - 1) / scale_block; }

/// W as the reference sees it; scales are null where there are none.
template <class Element>
struct Operands {
  const Element* w;
  const float* w_scales;
  int n, k, w_scale_row;
  float alpha;
};

/// One warp an output of W's head blockIdx.z: y[row][head][column] of rows in FP32.
template <class Element>
__global__ void dense_reference(Operands<Element> in, const float* x, float* y) {
  const int column = static_cast<int>(blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32),
            lane = threadIdx.x % 32;
  if (column >= in.n) return;
  const size_t place = static_cast<size_t>(blockIdx.y) * gridDim.z + blockIdx.z;
  const float* a = x + place * in.k;
  const Element* b = in.w + (static_cast<size_t>(blockIdx.z) * in.n + column) * in.k;
  float sum = 0;
  for (int i = lane; i < in.k; i += 32) {
    const float scale =
        in.w_scales == nullptr
            ? 1
            : in.w_scales[static_cast<size_t>(column / scale_block) * in.w_scale_row +
                          i / scale_block];
    sum += a[i] * static_cast<float>(b[i]) * scale;
  }
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffff, sum, step);
  if (lane == 0) y[place * in.n + column] = in.alpha * sum;
}

/// Rows of x in FP32: out [row][head][k].
template <class Element>
__global__ void dequantise(const Element* x, const float* scales, int m, int x_row, int x_width,
                           const int* rows, int k, float* out) {
  const int row = rows[blockIdx.x], head = static_cast<int>(blockIdx.y);
  for (int i = static_cast<int>(threadIdx.x); i < k; i += static_cast<int>(blockDim.x))
    out[(static_cast<size_t>(blockIdx.x) * gridDim.y + head) * k + i] =
        static_cast<float>(x[static_cast<size_t>(row) * x_row + head * x_width + i]) *
        (scales == nullptr ? 1 : scales[static_cast<size_t>(i / scale_block) * m + row]);
}

__global__ void count_not_finite(const __nv_bfloat16* y, size_t size, unsigned* count) {
  const size_t stride = size_t{gridDim.x} * blockDim.x;
  for (size_t i = size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < size; i += stride)
    if (!isfinite(__bfloat162float(y[i]))) atomicAdd(count, 1);
}

/// Descriptors of one product. cuBLASLt is column-major: y^T[n x m] = W^T[n x k] x^T[k x m].
class Descriptors {
 public:
  Descriptors(const CublasLt& lt, const DenseCase& dense) : lt_(lt) {
    const bool fp8 = dense.precision == Precision::fp8;
    const cudaDataType_t in = fp8 ? CUDA_R_8F_E4M3 : CUDA_R_16BF;
    const auto m = static_cast<uint64_t>(dense.m), n = static_cast<uint64_t>(dense.n),
               k = static_cast<uint64_t>(dense.k);
    check_lt(lt.matmul_desc_create(&product, CUBLAS_COMPUTE_32F, CUDA_R_32F), "product");
    set(CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T, "transpose");
    if (dense.block_scales) {
      set(CUBLASLT_MATMUL_DESC_A_SCALE_MODE, CUBLASLT_MATMUL_MATRIX_SCALE_BLK128x128_32F,
          "scales of 128 x 128");
      set(CUBLASLT_MATMUL_DESC_B_SCALE_MODE, CUBLASLT_MATMUL_MATRIX_SCALE_VEC128_32F,
          "scales of 1 x 128");
    } else if (fp8) {
      set(CUBLASLT_MATMUL_DESC_FAST_ACCUM, int8_t{1}, "fast accumulation");
    }
    check_lt(lt.layout_create(&w, in, k, n, dense.k), "layout");
    check_lt(lt.layout_create(&x, in, k, m, int64_t{dense.heads} * dense.x_width), "layout");
    check_lt(lt.layout_create(&y, CUDA_R_16BF, n, m, int64_t{dense.heads} * dense.y_width),
             "layout");
    if (dense.heads == 1) return;
    batch(w, dense.heads, int64_t{dense.n} * dense.k);
    batch(x, dense.heads, dense.x_width);
    batch(y, dense.heads, dense.y_width);
  }
  ~Descriptors() {
    if (y != nullptr) lt_.layout_destroy(y);
    if (x != nullptr) lt_.layout_destroy(x);
    if (w != nullptr) lt_.layout_destroy(w);
    if (product != nullptr) lt_.matmul_desc_destroy(product);
  }
  Descriptors(const Descriptors&) = delete;
  Descriptors& operator=(const Descriptors&) = delete;

  [[nodiscard]] std::vector<cublasLtMatmulHeuristicResult_t> heuristics() const {
    cublasLtMatmulPreference_t preference = nullptr;
    check_lt(lt_.preference_create(&preference), "preference");
    std::vector<cublasLtMatmulHeuristicResult_t> found(most_candidates);
    int count = 0;
    cublasStatus_t status = lt_.preference_set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                               &workspace_bytes, sizeof workspace_bytes);
    if (status == CUBLAS_STATUS_SUCCESS)
      status = lt_.get_heuristic(lt_.handle, product, w, x, y, y, preference, most_candidates,
                                 found.data(), &count);
    lt_.preference_destroy(preference);
    check_lt(status, "heuristic");
    found.resize(static_cast<size_t>(count));
    found.erase(std::remove_if(found.begin(), found.end(),
                               [](const auto& f) { return f.state != CUBLAS_STATUS_SUCCESS; }),
                found.end());
    if (found.empty()) throw CudaError("cuBLASLt offers no algorithm for this shape");
    return found;
  }

  /// Where the scales of this call stand.
  void point_to(const float* w_scales, const float* x_scales) const {
    set(CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, w_scales, "scales");
    set(CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, x_scales, "scales");
  }

  cublasLtMatmulDesc_t product = nullptr;
  cublasLtMatrixLayout_t w = nullptr, x = nullptr, y = nullptr;

 private:
  template <class Value>
  void set(cublasLtMatmulDescAttributes_t attribute, Value value, const char* what) const {
    check_lt(lt_.matmul_desc_set(product, attribute, &value, sizeof value), what);
  }
  void batch(cublasLtMatrixLayout_t layout, int32_t heads, int64_t stride) const {
    check_lt(lt_.layout_set(layout, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &heads, sizeof heads),
             "batch");
    check_lt(
        lt_.layout_set(layout, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &stride, sizeof stride),
        "batch");
  }

  const CublasLt& lt_;
};

/// The case with its widths filled in. cuBLASLt takes scales of token rows by fours: there are rows
/// up to that, which nobody reads.
DenseCase laid_out(DenseCase dense) {
  constexpr int scale_rows = 4;
  if (dense.block_scales) dense.m = (dense.m + scale_rows - 1) / scale_rows * scale_rows;
  if (dense.x_width == 0) dense.x_width = dense.k;
  if (dense.y_width == 0) dense.y_width = dense.n;
  return dense;
}

template <class Element>
class Product final : public Dense {
  static constexpr float spread = sizeof(Element) == 1 ? 110 : 1;  // of e4m3 scaled to 448

 public:
  Product(const CublasLt& lt, const DenseCase& dense)
      : lt_(lt), case_(laid_out(dense)), descriptors_(lt, case_), workspace_(workspace_bytes) {
    const double heads = case_.heads, x = heads * case_.m * case_.k, w = heads * case_.n * case_.k,
                 y = heads * case_.m * case_.n;
    bytes = (x + w) * sizeof(Element) + y * sizeof(__nv_bfloat16);
    if (case_.block_scales)
      bytes += sizeof(float) * (x / scale_block + w / (scale_block * scale_block));
    flops = padded_flops = 2 * x * case_.n;
    tolerance = sizeof(Element) == 1 ? 2e-2 : 1e-2;  // fast accumulation keeps some 14 bits
    copies = case_.copies > 0
                 ? case_.copies
                 : std::clamp(static_cast<int>(std::ceil(rotating_bytes / bytes)), 2, most_copies);
    kernel = lt.name();
    fill();
    if (case_.block_scales) descriptors_.point_to(w_scales_.data(), x_scales_.data());
    heuristics_ = descriptors_.heuristics();
  }

  [[nodiscard]] int candidates() const override { return static_cast<int>(heuristics_.size()); }

  bool choose(int candidate) override {
    chosen_ = static_cast<size_t>(candidate);
    const bool runs = multiply(nullptr, 0, nullptr, nullptr) == CUBLAS_STATUS_SUCCESS;
    check(cudaDeviceSynchronize(), "cuBLASLt");
    return runs;
  }

  void enqueue(cudaStream_t stream, int copy) override {
    enqueue_between(stream, copy, nullptr, nullptr);
  }

  void enqueue_between(cudaStream_t stream, int copy, const void* x, void* y) override {
    check_lt(multiply(stream, copy, x, y), "product");
  }

  [[nodiscard]] DenseBuffers buffers(int copy) override {
    const auto set = static_cast<size_t>(copy);
    return {x_.data() + set * x_size(),
            x_scales_.data() + set * x_scale_size(),
            case_.m,
            w_.data() + set * w_size(),
            w_scales_.data() + set * w_scale_size(),
            y_.data() + set * y_size()};
  }

  double error() override {
    y_.poison();
    const int copy = copies - 1;
    enqueue(nullptr, copy);
    DeviceArray<unsigned> wrong(1);
    wrong.zero();
    const __nv_bfloat16* y = buffers(copy).y;
    if (case_.y_width == case_.n)  // else there are gaps, which nothing writes
      count_not_finite<<<1024, 256>>>(y, y_size(), wrong.data());
    check(cudaGetLastError(), "check of outputs");
    if (wrong.to_host()[0] != 0) return INFINITY;
    const std::vector<int> rows = sampled_rows();
    return relative_error(outputs(copy, rows), reference(copy, inputs(copy, rows)));
  }

  [[nodiscard]] std::vector<float> reference(int copy, const DeviceArray<float>& x) override {
    const DenseBuffers at = buffers(copy);
    const size_t heads = static_cast<size_t>(case_.heads), rows = x.size() / heads / case_.k;
    const DeviceArray<float> y(rows * heads * case_.n);
    const Operands<Element> in{static_cast<const Element*>(at.w),
                               case_.block_scales ? at.w_scales : nullptr,
                               case_.n,
                               case_.k,
                               w_scale_row(),
                               case_.alpha};
    dense_reference<<<dim3(static_cast<unsigned>((case_.n + 7) / 8), static_cast<unsigned>(rows),
                           static_cast<unsigned>(case_.heads)),
                      256>>>(in, x.data(), y.data());
    check(cudaGetLastError(), "reference product");
    return y.to_host();
  }

 private:
  [[nodiscard]] size_t x_size() const {
    return static_cast<size_t>(case_.m) * case_.heads * case_.x_width;
  }
  [[nodiscard]] size_t w_size() const {
    return static_cast<size_t>(case_.heads) * case_.n * case_.k;
  }
  [[nodiscard]] size_t y_size() const {
    return static_cast<size_t>(case_.m) * case_.heads * case_.y_width;
  }
  [[nodiscard]] int w_scale_row() const { return (blocks_of(case_.k) + 3) / 4 * 4; }
  [[nodiscard]] size_t x_scale_size() const {
    return case_.block_scales ? static_cast<size_t>(blocks_of(case_.k)) * case_.m : 0;
  }
  [[nodiscard]] size_t w_scale_size() const {
    return case_.block_scales ? static_cast<size_t>(blocks_of(case_.n)) * w_scale_row() : 0;
  }

  void fill() {
    const auto sets = static_cast<size_t>(copies);
    x_ = DeviceArray<Element>(x_size() * sets);
    w_ = DeviceArray<Element>(w_size() * sets);
    y_ = DeviceArray<__nv_bfloat16>(y_size() * sets);
    const float wide = case_.block_scales ? spread : 1;
    fill_normal(x_.data(), x_.size(), case_.seed, wide);
    fill_normal(w_.data(), w_.size(), case_.seed + 1, wide);
    if (!case_.block_scales) return;
    x_scales_ = DeviceArray<float>(x_scale_size() * sets);
    w_scales_ = DeviceArray<float>(w_scale_size() * sets);
    fill_uniform(x_scales_.data(), x_scales_.size(), case_.seed + 2, 0.8f / wide, 1.2f / wide);
    fill_uniform(w_scales_.data(), w_scales_.size(), case_.seed + 3, 0.8f / wide, 1.2f / wide);
  }

  cublasStatus_t multiply(cudaStream_t stream, int copy, const void* x, void* y) {
    const DenseBuffers at = buffers(copy);
    const float zero = 0;
    if (case_.block_scales) descriptors_.point_to(at.w_scales, at.x_scales);
    void* out = y != nullptr ? y : at.y;
    return lt_.matmul(lt_.handle, descriptors_.product, &case_.alpha, at.w, descriptors_.w,
                      x != nullptr ? x : at.x, descriptors_.x, &zero, out, descriptors_.y, out,
                      descriptors_.y, &heuristics_[chosen_].algo, workspace_.data(),
                      workspace_bytes, stream);
  }

  [[nodiscard]] std::vector<int> sampled_rows() const {
    std::vector<int> rows;
    for (int i = 0; i < std::min(rows_checked, case_.m); ++i)
      rows.push_back(static_cast<int>(static_cast<int64_t>(case_.m - 1) * i / (rows_checked - 1)));
    return rows;
  }

  /// Rows of x in FP32.
  [[nodiscard]] DeviceArray<float> inputs(int copy, const std::vector<int>& rows) {
    const DenseBuffers at = buffers(copy);
    const DeviceArray<int> chosen(rows);
    DeviceArray<float> x(rows.size() * static_cast<size_t>(case_.heads) * case_.k);
    dequantise<<<dim3(static_cast<unsigned>(rows.size()), static_cast<unsigned>(case_.heads)),
                 256>>>(
        static_cast<const Element*>(at.x), case_.block_scales ? at.x_scales : nullptr, case_.m,
        case_.heads * case_.x_width, case_.x_width, chosen.data(), case_.k, x.data());
    check(cudaDeviceSynchronize(), "reference product");
    return x;
  }

  /// Rows of y.
  [[nodiscard]] std::vector<float> outputs(int copy, const std::vector<int>& rows) {
    const __nv_bfloat16* y = buffers(copy).y;
    const auto row_size = static_cast<size_t>(case_.heads) * case_.y_width;
    std::vector<float> have;
    std::vector<__nv_bfloat16> row(row_size);
    for (const int r : rows) {
      check(cudaMemcpy(row.data(), y + static_cast<size_t>(r) * row_size, row_size * sizeof(row[0]),
                       cudaMemcpyDeviceToHost),
            "copy to host");
      for (int head = 0; head < case_.heads; ++head)
        for (int i = 0; i < case_.n; ++i)
          have.push_back(__bfloat162float(row[static_cast<size_t>(head) * case_.y_width + i]));
    }
    return have;
  }

  const CublasLt& lt_;
  DenseCase case_;
  Descriptors descriptors_;
  std::vector<cublasLtMatmulHeuristicResult_t> heuristics_;
  size_t chosen_ = 0;
  DeviceArray<char> workspace_;
  DeviceArray<Element> x_, w_;
  DeviceArray<float> x_scales_, w_scales_;
  DeviceArray<__nv_bfloat16> y_;
};

}  // namespace

std::unique_ptr<Dense> make_dense(const CublasLt& lt, const DenseCase& dense) {
  if (dense.precision == Precision::fp8) return std::make_unique<Product<__nv_fp8_e4m3>>(lt, dense);
  return std::make_unique<Product<__nv_bfloat16>>(lt, dense);
}

}  // namespace afford::calibrate
