#pragma once
// Finds and loads models, hardware and engines by name or by path.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/engine.hpp"
#include "spec/hardware.hpp"
#include "spec/model.hpp"

namespace afford {

/// The folder that holds models/, hardware/ and engines/: $AFFORD_DATA, else share/afford beside
/// the installed binary's bin/, else the source tree the binary was built in. Throws UsageError
/// when there is none.
[[nodiscard]] std::filesystem::path data_folder();

/// The names in models/, hardware/ or engines/, sorted.
[[nodiscard]] std::vector<std::string> list_names(const std::filesystem::path& folder);

/// `name` of a file in models/ (hardware/, engines/), or a path ending in .yaml or .yml; a model
/// also a published config.json; `all` is every name. Throws InputError for what a file says,
/// UsageError for a name that does not exist.
[[nodiscard]] std::vector<ModelSpec> load_models(const std::vector<std::string>& names);
[[nodiscard]] std::vector<HardwareSpec> load_hardware(const std::vector<std::string>& names);
[[nodiscard]] std::vector<Engine> load_engines(const std::vector<std::string>& names);

/// Where the file of an engine lies, by name or path. Throws UsageError for a name that does not
/// exist.
[[nodiscard]] std::filesystem::path engine_path(const std::string& name);

/// The name in models/ of a checkpoint as it is published, "nvidia/DeepSeek-R1-NVFP4": its
/// publisher, format and tuning are left out, and the aliases of the models count. Nothing where
/// there is none.
[[nodiscard]] std::optional<std::string> model_published_as(std::string_view checkpoint);

/// Whether a path is a published config rather than a spec file.
[[nodiscard]] bool is_published_config(const std::filesystem::path& path);

/// Whether `name` is a path rather than the name of an entry.
[[nodiscard]] bool is_path(std::string_view name);

}  // namespace afford
