#pragma once
// What a spec file describes, by its keys.

#include <string>

#include "yaml/document.hpp"

namespace afford {

enum class SpecKind { model, hardware, engine, calibration };

/// A key tells, the more telling ones first. The reader of the kind then says all that is wrong.
/// Throws InputError where no key does.
[[nodiscard]] SpecKind spec_kind(const yaml::Node& root, const std::string& file);

}  // namespace afford
