#pragma once
// The entries of a model file's `ffn`.

#include <string>

#include "spec/model.hpp"
#include "yaml/section.hpp"

namespace afford {

/// The entry `name` of `list`. Throws InputError with the place.
[[nodiscard]] FfnSpec read_ffn(const yaml::Section& list, const std::string& name,
                               const Sources& sources);

}  // namespace afford
