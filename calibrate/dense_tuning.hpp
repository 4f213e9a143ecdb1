#pragma once
// The library's fastest algorithm of each dense product, found once a shape.

#include <map>
#include <memory>
#include <string>

#include "dense.hpp"

namespace afford::calibrate {

/// Times every algorithm that the library offers for `dense`, and leaves it with the fastest; its
/// number. Throws std::runtime_error when none runs.
int tune(Dense& dense);

class DenseTuning {
 public:
  explicit DenseTuning(const CublasLt& lt) : lt_(lt) {}
  /// The product, with the algorithm that was fastest when its shape was first asked for.
  [[nodiscard]] std::unique_ptr<Dense> make(const DenseCase& dense);

 private:
  const CublasLt& lt_;
  std::map<std::string, int> fastest_;
};

}  // namespace afford::calibrate
