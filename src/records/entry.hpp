#pragma once
// What is there: lists of models, chips and engines, and one entry in full.

#include "report/table.hpp"
#include "spec/engine.hpp"
#include "spec/hardware.hpp"
#include "spec/model.hpp"

namespace afford {

namespace config {
struct FamilyTypes;
}

/// One row per fact, each with its source.
[[nodiscard]] Table facts_of(const ModelSpec& model);
[[nodiscard]] Table facts_of(const HardwareSpec& chip);
[[nodiscard]] Table facts_of(Engine engine);

/// One decoded token at `context` tokens: the modules of one layer of each kind.
[[nodiscard]] Table modules_of(const ModelSpec& model, std::int64_t context, Convention convention);

[[nodiscard]] Table list_of(const std::vector<ModelSpec>& models);
[[nodiscard]] Table list_of(const std::vector<HardwareSpec>& chips);
[[nodiscard]] Table list_of(const std::vector<Engine>& engines);
/// The model types that import knows.
[[nodiscard]] Table list_of(const std::vector<config::FamilyTypes>& families);

}  // namespace afford
