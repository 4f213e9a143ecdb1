#pragma once
// The readers of spec files: a parsed YAML document in, a checked value out. All throw InputError
// with file, line and column.

#include <string>

#include "spec/hardware.hpp"
#include "spec/model.hpp"
#include "yaml/document.hpp"

namespace afford {

[[nodiscard]] ModelSpec read_model(const yaml::Node& root, const std::string& file);
[[nodiscard]] HardwareSpec read_hardware(const yaml::Node& root, const std::string& file);

}  // namespace afford
