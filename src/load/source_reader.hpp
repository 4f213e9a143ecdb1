#pragma once
// How a spec file names its sources.

#include "spec/source.hpp"
#include "yaml/section.hpp"

namespace afford {

/// The `sources` mapping of a spec file. Throws InputError.
[[nodiscard]] Sources read_sources(const yaml::Section& root);

/// The `source` key of a section, checked to be a listed id. Throws InputError.
[[nodiscard]] std::string read_source(const yaml::Section& section, const Sources& sources);

}  // namespace afford
