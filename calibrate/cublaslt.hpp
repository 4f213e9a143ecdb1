#pragma once
// cuBLASLt, opened at run time: only the dense projections need it, and GPU machines without a CUDA
// toolkit or PyTorch do not have it.

#include <cublasLt.h>

#include <string>

namespace afford::calibrate {

/// The functions used, under their own names without the prefix, and one handle.
class CublasLt {
 public:
  /// Opens libcublasLt.so.13 or .12, from the loader's path or /usr/local/cuda. Throws
  /// std::runtime_error with the reason.
  CublasLt();
  ~CublasLt();
  CublasLt(const CublasLt&) = delete;
  CublasLt& operator=(const CublasLt&) = delete;

  cublasLtHandle_t handle = nullptr;
  decltype(&cublasLtCreate) create = nullptr;
  decltype(&cublasLtDestroy) destroy = nullptr;
  decltype(&cublasLtGetVersion) get_version = nullptr;
  decltype(&cublasLtMatmulDescCreate) matmul_desc_create = nullptr;
  decltype(&cublasLtMatmulDescDestroy) matmul_desc_destroy = nullptr;
  decltype(&cublasLtMatmulDescSetAttribute) matmul_desc_set = nullptr;
  decltype(&cublasLtMatrixLayoutCreate) layout_create = nullptr;
  decltype(&cublasLtMatrixLayoutDestroy) layout_destroy = nullptr;
  decltype(&cublasLtMatrixLayoutSetAttribute) layout_set = nullptr;
  decltype(&cublasLtMatmulPreferenceCreate) preference_create = nullptr;
  decltype(&cublasLtMatmulPreferenceDestroy) preference_destroy = nullptr;
  decltype(&cublasLtMatmulPreferenceSetAttribute) preference_set = nullptr;
  decltype(&cublasLtMatmulAlgoGetHeuristic) get_heuristic = nullptr;
  decltype(&cublasLtMatmul) matmul = nullptr;

  /// "cublaslt 13.1.0"
  [[nodiscard]] std::string name() const;

 private:
  template <class Function>
  void find(Function*& function, const char* symbol);

  void* library_ = nullptr;
};

}  // namespace afford::calibrate
