#pragma once
// One parser per attention kind.

#include "spec/model.hpp"
#include "yaml/section.hpp"

namespace afford {

/// The entry `name` of a model's `attention` mapping. Throws InputError.
[[nodiscard]] AttentionSpec read_attention(const yaml::Section& list, const std::string& name,
                                           const Sources& sources);

}  // namespace afford
