#pragma once
// The GPU a run works on, with what watches it, checked before anything is measured.

#include <memory>
#include <string>

#include "calibration/calibration.hpp"
#include "cublaslt.hpp"
#include "gpu.hpp"
#include "nvml.hpp"

namespace afford::calibrate {

struct Session {
  Gpu gpu;
  std::string cuda;              // of the driver and the runtime linked in: "13.0, runtime 13.0"
  std::unique_ptr<Nvml> nvml;    // null: no clocks, power or temperature
  DeviceLimits limits;           // empty without nvml
  std::unique_ptr<CublasLt> lt;  // null: no dense projections
};

/// Opens GPU `index`, which must be a Hopper with so many bytes free; warns on stderr of other
/// processes on it, of a missing management library and of missing cuBLASLt. Throws UsageError.
[[nodiscard]] Session open_session(int index, double bytes_needed);

/// What is known of the run before it starts; `command` is how it was called.
[[nodiscard]] Provenance provenance_of(const Session& session, const std::string& command);

}  // namespace afford::calibrate
