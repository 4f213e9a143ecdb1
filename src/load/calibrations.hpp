#pragma once
// Which chip runs on which calibration.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "calibration/chip_timing.hpp"
#include "load/library.hpp"
#include "spec/hardware.hpp"

namespace afford {

/// A calibration file with the chip and the engine it names. Throws InputError.
[[nodiscard]] MeasuredChip load_calibration(const std::filesystem::path& file);

/// The names of hardware/NAME.calibration.yaml, sorted.
[[nodiscard]] std::vector<std::string> list_calibrations();

/// What attach_calibrations() chooses from.
struct Calibrations {
  /// Of a file that cannot be read: its name, and what is wrong with it.
  struct Unread {
    std::string name;
    InputError error;
  };
  std::vector<MeasuredChip> read;
  std::vector<Unread> unread;
  bool named = false;  // by the user: for all chips of its architecture, experts and all
};

/// Every calibration for an empty `choice`, none for "none", else the one of this name or path.
/// Throws UsageError for an unknown name, InputError for what the file of a choice says.
[[nodiscard]] Calibrations load_calibrations(const std::string& choice);

/// Of these chips alone, which is enough where no curve is asked for that another chip's
/// calibration might lend: of prompts, and of caches narrower than BF16. Nothing where one of them
/// has no calibration of its own that can be read, or where the user has calibrations beside the
/// shipped ones, which are named after their chips.
[[nodiscard]] std::optional<Calibrations> own_calibrations(const std::vector<std::string>& chips);

/// Attaches to every chip the calibration of its own name, else one of its architecture with the
/// fractions of its own roofs, less the experts' curve, with curves of prompts from another where
/// it has none; the others keep the default efficiencies.
/// Why less: taken to H800 it puts the Step-3 report's 2A2F at 3300 tokens/s/GPU, where 4039 were
/// published and 3930 come out with the default efficiencies. Whether the measured card's power cap
/// or our kernel near 128 tokens an expert is to blame is open. `choice`: empty as said; `none`; or
/// the name of a calibration (or a path), which all chips of its architecture then take. Throws
/// UsageError for an unknown name, InputError for what a file says; but where `choice` is empty and
/// the calibration bears the name of no chip of the run, that goes to `left_out`, if there is one.
void attach_calibrations(const std::vector<HardwareSpec*>& chips, const Calibrations& calibrations,
                         bool experts = false, LeftOut* left_out = nullptr);
void attach_calibrations(const std::vector<HardwareSpec*>& chips, const std::string& choice,
                         bool experts = false, LeftOut* left_out = nullptr);

[[nodiscard]] inline std::vector<HardwareSpec*> pointers_to(std::vector<HardwareSpec>& chips) {
  std::vector<HardwareSpec*> pointers;
  for (HardwareSpec& chip : chips) pointers.push_back(&chip);
  return pointers;
}

}  // namespace afford
