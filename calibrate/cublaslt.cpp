#include "cublaslt.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <stdexcept>

namespace afford::calibrate {

CublasLt::CublasLt() {
  for (const char* name :
       {"libcublasLt.so.13", "libcublasLt.so.12", "/usr/local/cuda/lib64/libcublasLt.so.13",
        "/usr/local/cuda/lib64/libcublasLt.so.12"}) {
    library_ = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library_ != nullptr) break;
  }
  if (library_ == nullptr)
    throw std::runtime_error(
        "neither libcublasLt.so.13 nor .12 is in LD_LIBRARY_PATH or /usr/local/cuda/lib64");
  find(create, "cublasLtCreate");
  find(destroy, "cublasLtDestroy");
  find(get_version, "cublasLtGetVersion");
  find(matmul_desc_create, "cublasLtMatmulDescCreate");
  find(matmul_desc_destroy, "cublasLtMatmulDescDestroy");
  find(matmul_desc_set, "cublasLtMatmulDescSetAttribute");
  find(layout_create, "cublasLtMatrixLayoutCreate");
  find(layout_destroy, "cublasLtMatrixLayoutDestroy");
  find(layout_set, "cublasLtMatrixLayoutSetAttribute");
  find(preference_create, "cublasLtMatmulPreferenceCreate");
  find(preference_destroy, "cublasLtMatmulPreferenceDestroy");
  find(preference_set, "cublasLtMatmulPreferenceSetAttribute");
  find(get_heuristic, "cublasLtMatmulAlgoGetHeuristic");
  find(matmul, "cublasLtMatmul");
  if (const cublasStatus_t status = create(&handle); status != CUBLAS_STATUS_SUCCESS)
    throw std::runtime_error(
        fmt::format("cuBLASLt does not start: status {}", static_cast<int>(status)));
}

CublasLt::~CublasLt() {
  destroy(handle);
}  // the library stays open: its kernels are loaded in the context

std::string CublasLt::name() const {
  const size_t version = get_version();  // 130100 is 13.1.0
  return fmt::format("cublaslt {}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

template <class Function>
void CublasLt::find(Function*& function, const char* symbol) {
  function = reinterpret_cast<Function*>(dlsym(library_, symbol));
  if (function == nullptr) throw std::runtime_error(fmt::format("cuBLASLt has no {}", symbol));
}

}  // namespace afford::calibrate
