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

/// One warp an output: y[row][column] of the rows named, in FP32.
template <class Element>
__global__ void dense_reference(const Element* x, const Element* w, const int* rows, int n, int k,
                                float* y) {
  const int column = static_cast<int>(blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32),
            lane = threadIdx.x % 32;
  if (column >= n) return;
  const Element *a = x + static_cast<size_t>(rows[blockIdx.y]) * k,
                *b = w + static_cast<size_t>(column) * k;
  float sum = 0;
  for (int i = lane; i < k; i += 32) sum += static_cast<float>(a[i]) * static_cast<float>(b[i]);
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffff, sum, step);
  if (lane == 0) y[static_cast<size_t>(blockIdx.y) * n + column] = sum;
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
    const cublasOperation_t transposed = CUBLAS_OP_T;
    const int8_t fast = 1;
    const auto m = static_cast<uint64_t>(dense.m), n = static_cast<uint64_t>(dense.n),
               k = static_cast<uint64_t>(dense.k);
    check_lt(lt.matmul_desc_create(&product, CUBLAS_COMPUTE_32F, CUDA_R_32F), "product");
    check_lt(
        lt.matmul_desc_set(product, CUBLASLT_MATMUL_DESC_TRANSA, &transposed, sizeof transposed),
        "transpose");
    if (fp8)
      check_lt(lt.matmul_desc_set(product, CUBLASLT_MATMUL_DESC_FAST_ACCUM, &fast, sizeof fast),
               "fast accumulation");
    check_lt(lt.layout_create(&w, in, k, n, dense.k), "layout");
    check_lt(lt.layout_create(&x, in, k, m, dense.k), "layout");
    check_lt(lt.layout_create(&y, CUDA_R_16BF, n, m, dense.n), "layout");
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

  cublasLtMatmulDesc_t product = nullptr;
  cublasLtMatrixLayout_t w = nullptr, x = nullptr, y = nullptr;

 private:
  const CublasLt& lt_;
};

template <class Element>
class Product final : public Dense {
 public:
  Product(const CublasLt& lt, const DenseCase& dense)
      : lt_(lt),
        case_(dense),
        descriptors_(lt, dense),
        heuristics_(descriptors_.heuristics()),
        workspace_(workspace_bytes) {
    const double x = static_cast<double>(dense.m) * dense.k,
                 w = static_cast<double>(dense.n) * dense.k,
                 y = static_cast<double>(dense.m) * dense.n;
    bytes = (x + w) * sizeof(Element) + y * sizeof(__nv_bfloat16);
    flops = padded_flops = 2 * x * dense.n;
    tolerance = sizeof(Element) == 1 ? 2e-2 : 1e-2;  // fast accumulation keeps some 14 bits
    copies = std::clamp(static_cast<int>(std::ceil(rotating_bytes / bytes)), 2, most_copies);
    kernel = lt.name();
    x_ = DeviceArray<Element>(x_size() * static_cast<size_t>(copies));
    w_ = DeviceArray<Element>(w_size() * static_cast<size_t>(copies));
    y_ = DeviceArray<__nv_bfloat16>(y_size() * static_cast<size_t>(copies));
    fill_normal(x_.data(), x_.size(), dense.seed, 1);
    fill_normal(w_.data(), w_.size(), dense.seed + 1, 1);
  }

  [[nodiscard]] int candidates() const override { return static_cast<int>(heuristics_.size()); }

  bool choose(int candidate) override {
    chosen_ = static_cast<size_t>(candidate);
    const bool runs = multiply(nullptr, 0) == CUBLAS_STATUS_SUCCESS;
    check(cudaDeviceSynchronize(), "cuBLASLt");
    return runs;
  }

  void enqueue(cudaStream_t stream, int copy) override {
    check_lt(multiply(stream, copy), "product");
  }

  double error() override {
    y_.poison();
    enqueue(nullptr, copies - 1);
    std::vector<int> rows;
    for (int i = 0; i < std::min(rows_checked, case_.m); ++i)
      rows.push_back(static_cast<int>(static_cast<int64_t>(case_.m - 1) * i / (rows_checked - 1)));
    const DeviceArray<int> chosen(rows);
    DeviceArray<float> expected(rows.size() * static_cast<size_t>(case_.n));
    DeviceArray<unsigned> wrong(1);
    wrong.zero();
    const auto set = static_cast<size_t>(copies - 1);
    const __nv_bfloat16* y = y_.data() + set * y_size();
    dense_reference<<<
        dim3(static_cast<unsigned>((case_.n + 7) / 8), static_cast<unsigned>(rows.size())), 256>>>(
        x_.data() + set * x_size(), w_.data() + set * w_size(), chosen.data(), case_.n, case_.k,
        expected.data());
    count_not_finite<<<1024, 256>>>(y, y_size(), wrong.data());
    check(cudaGetLastError(), "reference product");
    if (wrong.to_host()[0] != 0) return INFINITY;
    std::vector<float> have;
    std::vector<__nv_bfloat16> row(static_cast<size_t>(case_.n));
    for (const int r : rows) {
      check(cudaMemcpy(row.data(), y + static_cast<size_t>(r) * row.size(),
                       row.size() * sizeof(row[0]), cudaMemcpyDeviceToHost),
            "copy to host");
      for (const __nv_bfloat16 value : row) have.push_back(__bfloat162float(value));
    }
    return relative_error(have, expected.to_host());
  }

 private:
  [[nodiscard]] size_t x_size() const { return static_cast<size_t>(case_.m) * case_.k; }
  [[nodiscard]] size_t w_size() const { return static_cast<size_t>(case_.n) * case_.k; }
  [[nodiscard]] size_t y_size() const { return static_cast<size_t>(case_.m) * case_.n; }

  cublasStatus_t multiply(cudaStream_t stream, int copy) const {
    const auto set = static_cast<size_t>(copy);
    const float one = 1, zero = 0;
    __nv_bfloat16* y = y_.data() + set * y_size();
    return lt_.matmul(lt_.handle, descriptors_.product, &one, w_.data() + set * w_size(),
                      descriptors_.w, x_.data() + set * x_size(), descriptors_.x, &zero, y,
                      descriptors_.y, y, descriptors_.y, &heuristics_[chosen_].algo,
                      workspace_.data(), workspace_bytes, stream);
  }

  const CublasLt& lt_;
  DenseCase case_;
  Descriptors descriptors_;
  std::vector<cublasLtMatmulHeuristicResult_t> heuristics_;
  size_t chosen_ = 0;
  DeviceArray<char> workspace_;
  DeviceArray<Element> x_, w_;
  DeviceArray<__nv_bfloat16> y_;
};

}  // namespace

std::unique_ptr<Dense> make_dense(const CublasLt& lt, const DenseCase& dense) {
  if (dense.precision == Precision::fp8) return std::make_unique<Product<__nv_fp8_e4m3>>(lt, dense);
  return std::make_unique<Product<__nv_bfloat16>>(lt, dense);
}

}  // namespace afford::calibrate
