#pragma once
// The name under which a GPU's calibration is filed. Host code without CUDA.

#include <string>
#include <string_view>

namespace afford::calibrate {

/// The chip's name as hardware/ has it, from the driver's name of it: "NVIDIA H200" is h200,
/// "NVIDIA H100 80GB HBM3" h100, "NVIDIA H100 NVL" h100-nvl, "NVIDIA H20" with 141 GB h20-3e. Never
/// a serial number.
[[nodiscard]] std::string device_class(std::string_view driver_name, double memory_bytes);

}  // namespace afford::calibrate
