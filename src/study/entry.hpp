#pragma once
// One model, chip or engine by name or path.

#include <string>
#include <variant>

#include "spec/engine.hpp"
#include "spec/hardware.hpp"
#include "spec/model.hpp"

namespace afford::study {

using Entry = std::variant<ModelSpec, HardwareSpec, Engine>;

/// A path is what its keys say. A chip comes with its calibration. Throws UsageError for
/// a name that is none, InputError for what a file says.
[[nodiscard]] Entry entry(const std::string& name);

}  // namespace afford::study
