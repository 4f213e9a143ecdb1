#pragma once
// One model or chip by name or path.

#include <string>
#include <variant>

#include "spec/hardware.hpp"
#include "spec/model.hpp"

namespace afford::study {

using Entry = std::variant<ModelSpec, HardwareSpec>;

/// A path is a model when it reads as one. A chip comes with its calibration. Throws UsageError for
/// a name that is neither, InputError for what a file says.
[[nodiscard]] Entry entry(const std::string& name);

}  // namespace afford::study
