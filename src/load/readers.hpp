#pragma once
// The readers of spec files: a parsed YAML document in, a checked value out. All throw InputError
// with file, line and column.

#include <string>

#include "spec/engine.hpp"
#include "spec/hardware.hpp"
#include "spec/model.hpp"
#include "yaml/document.hpp"

namespace afford {

[[nodiscard]] ModelSpec read_model(const yaml::Node& root, const std::string& file);
/// May read the file of the engine it builds on (`base`).
[[nodiscard]] Engine read_engine(const yaml::Node& root, const std::string& file);
[[nodiscard]] HardwareSpec read_hardware(const yaml::Node& root, const std::string& file);

}  // namespace afford
