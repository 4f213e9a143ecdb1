#pragma once
// Where models, hardware and engines lie, by name.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace afford {

/// The folder that holds models/, hardware/ and engines/: $AFFORD_DATA, else share/afford beside
/// the installed binary's bin/, else data/ beside the shared library this is part of, else the
/// source tree the binary was built in, else where CMake was told to install. Throws UsageError
/// when there is none.
[[nodiscard]] std::filesystem::path data_folder();

/// Where files of a kind (models, hardware, engines) lie: in the folders of $AFFORD_PATH, with
/// colons between; chips also in ./hardware; then in data_folder(). An entry of an earlier one
/// comes before its namesakes. Throws UsageError for a folder of $AFFORD_PATH that holds none of
/// the three.
[[nodiscard]] std::vector<std::filesystem::path> folders_of(std::string_view kind);

/// The names in models/, hardware/ or engines/, sorted.
[[nodiscard]] std::vector<std::string> list_names(const std::filesystem::path& folder);
/// Those of all folders of a kind.
[[nodiscard]] std::vector<std::string> names_of(std::string_view kind);

/// Whether `name` is a path rather than the name of an entry.
[[nodiscard]] bool is_path(std::string_view name);

/// The file of the entry called `name` in the folders of its kind. Throws UsageError, which calls
/// it a `noun`, where there is none.
[[nodiscard]] std::filesystem::path entry_path(const std::string& name, std::string_view kind,
                                               std::string_view noun);

}  // namespace afford
