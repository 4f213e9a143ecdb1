#pragma once
// Finds and loads models and hardware by name or by path.

#include <filesystem>
#include <string>
#include <vector>

#include "spec/hardware.hpp"
#include "spec/model.hpp"

namespace afford {

/// The folder that holds models/ and hardware/: $AFFORD_DATA, else share/afford beside the
/// installed binary's bin/, else the source tree the binary was built in. Throws UsageError when
/// there is none.
[[nodiscard]] std::filesystem::path data_folder();

/// The names in models/ or hardware/, sorted.
[[nodiscard]] std::vector<std::string> list_names(const std::filesystem::path& folder);

/// `name` of a file in models/ (or hardware/), or a path ending in .yaml or .yml; a model also a
/// published config.json; `all` is every name. Throws InputError for what a file says, UsageError
/// for a name that does not exist.
[[nodiscard]] std::vector<ModelSpec> load_models(const std::vector<std::string>& names);
[[nodiscard]] std::vector<HardwareSpec> load_hardware(const std::vector<std::string>& names);

/// Whether a path is a published config rather than a spec file.
[[nodiscard]] bool is_published_config(const std::filesystem::path& path);

/// Whether `name` is a path rather than the name of an entry.
[[nodiscard]] bool is_path(std::string_view name);

}  // namespace afford
