#pragma once
// Finds and loads models, hardware and engines by name or by path.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "error.hpp"
#include "load/edits.hpp"
#include "load/folders.hpp"
#include "spec/engine.hpp"
#include "spec/hardware.hpp"
#include "spec/model.hpp"

namespace afford {

/// What is wrong with files that nobody named: one broken entry must not stop `all` the others.
/// Each line is the message of its error, file:line:column first.
using LeftOut = std::vector<std::string>;

/// Notes the error of a file, once. Throws it where there is no list, and where it is not of what
/// the file says: a disk that fails must not make part of an answer look like all of it.
void leave_out(const InputError& error, LeftOut* left_out);

/// `name` of a file in models/ (hardware/, engines/), or a path ending in .yaml or .yml; a model
/// also a published config.json; `all` is every name. Throws InputError for what a file says,
/// UsageError for a name that does not exist. With the values that `edits` set: of every model
/// ("model"), of the chips they name, of every engine ("engine"). Given `left_out`, an entry that
/// `all` alone names and that cannot be read goes there instead; without, it throws too.
[[nodiscard]] std::vector<ModelSpec> load_models(const std::vector<std::string>& names,
                                                 const Edits& edits = {},
                                                 LeftOut* left_out = nullptr);
[[nodiscard]] std::vector<HardwareSpec> load_hardware(const std::vector<std::string>& names,
                                                      const Edits& edits = {},
                                                      LeftOut* left_out = nullptr);
[[nodiscard]] std::vector<Engine> load_engines(const std::vector<std::string>& names,
                                               const Edits& edits = {},
                                               LeftOut* left_out = nullptr);

/// The one entry of this name or path; `all` is none. Throws as the lists do.
[[nodiscard]] ModelSpec load_model(const std::string& name, const Edits& edits = {});
[[nodiscard]] HardwareSpec load_chip(const std::string& name, const Edits& edits = {});
[[nodiscard]] Engine load_engine(const std::string& name, const Edits& edits = {});

/// Where the file of a model, chip or engine lies, by name or path. Throws UsageError for a name
/// that does not exist, InputError for a path.
[[nodiscard]] std::filesystem::path model_path(const std::string& name);
[[nodiscard]] std::filesystem::path hardware_path(const std::string& name);
[[nodiscard]] std::filesystem::path engine_path(const std::string& name);

/// The name in models/ of a checkpoint as it is published, "nvidia/DeepSeek-R1-NVFP4": its
/// publisher, format and tuning are left out, and the aliases of the models count. Nothing where
/// there is none; a model file that cannot be read has no aliases.
[[nodiscard]] std::optional<std::string> model_published_as(std::string_view checkpoint);

/// Whether a path is a published config rather than a spec file.
[[nodiscard]] bool is_published_config(const std::filesystem::path& path);

}  // namespace afford
