#pragma once
// Which chip runs on which calibration.

#include <string>
#include <vector>

#include "calibration/calibration.hpp"
#include "spec/hardware.hpp"

namespace afford {

/// The names of hardware/NAME.calibration.yaml, sorted.
[[nodiscard]] std::vector<std::string> list_calibrations();

/// Attaches to every chip the calibration of its own name, else one of its architecture with the
/// fractions of its own roofs, less the experts' curve; the others keep the default efficiencies.
/// Why less: taken to H800 it puts the Step-3 report's 2A2F at 3300 tokens/s/GPU, where 4039 were
/// published and 3930 come out with the default efficiencies. Whether the measured card's power cap
/// or our kernel near 128 tokens an expert is to blame is open. `choice`: empty as said; `none`; or
/// the name of a calibration (or a path), which all chips of its architecture then take. Throws
/// UsageError for an unknown name, InputError for what a file says.
void attach_calibrations(const std::vector<HardwareSpec*>& chips, const std::string& choice,
                         bool experts = false);

[[nodiscard]] inline std::vector<HardwareSpec*> pointers_to(std::vector<HardwareSpec>& chips) {
  std::vector<HardwareSpec*> pointers;
  for (HardwareSpec& chip : chips) pointers.push_back(&chip);
  return pointers;
}

}  // namespace afford
