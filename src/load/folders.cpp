#include "load/folders.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <system_error>

#include "error.hpp"
#include "text/file.hpp"
#include "text/suggest.hpp"

namespace afford {
namespace {

namespace fs = std::filesystem;

bool holds_data(const fs::path& folder) {
  std::error_code error;
  return fs::is_directory(folder / "models", error) &&
         fs::is_directory(folder / "hardware", error) &&
         fs::is_directory(folder / "engines", error);
}

/// The folders that $AFFORD_PATH names.
std::vector<fs::path> own_folders() {
  const char* set = std::getenv("AFFORD_PATH");
  std::vector<fs::path> folders;
  std::string_view rest = set == nullptr ? "" : set;
  while (!rest.empty()) {
    const size_t colon = std::min(rest.find(':'), rest.size());
    const fs::path folder = rest.substr(0, colon);
    rest.remove_prefix(std::min(colon + 1, rest.size()));
    if (folder.empty()) continue;
    std::error_code error;
    if (!fs::is_directory(folder / "models", error) &&
        !fs::is_directory(folder / "hardware", error) &&
        !fs::is_directory(folder / "engines", error)) {
      throw UsageError(
          fmt::format("AFFORD_PATH has '{}', which holds no models/, hardware/ or "
                      "engines/",
                      folder.string()));
    }
    folders.push_back(folder);
  }
  return folders;
}

/// By its name: h200.calibration.yaml is no entry of its own.
bool is_entry(const fs::path& file) {
  return file.extension() == ".yaml" && file.stem().extension() != ".calibration";
}

/// The program or the shared library, such as Python's module, that this code is part of.
fs::path own_file() {
  Dl_info info{};
  return ::dladdr(reinterpret_cast<const void*>(&own_file), &info) != 0 ? info.dli_fname : "";
}

/// Where the program finds its data by itself.
fs::path own_data_folder() {
  std::error_code error;
  const fs::path binary = fs::read_symlink("/proc/self/exe", error);
  fs::path installed = binary.parent_path().parent_path() / "share" / "afford";
  if (holds_data(installed)) return installed;
  if (const fs::path beside = own_file().parent_path() / "data"; holds_data(beside)) return beside;
  // A build tree: build/<preset>/afford under the sources.
  fs::path folder = binary.parent_path();
  for (int up = 0; up < 4 && folder.has_relative_path(); ++up, folder = folder.parent_path()) {
    if (holds_data(folder) && fs::exists(folder / "CMakePresets.json", error)) return folder;
  }
  if (holds_data(AFFORD_INSTALLED_DATA)) return AFFORD_INSTALLED_DATA;
  throw UsageError(
      "cannot find models/, hardware/ and engines/; set AFFORD_DATA to the folder that holds them");
}

}  // namespace

fs::path data_folder() {
  if (const char* set = std::getenv("AFFORD_DATA"); set != nullptr && *set != '\0') {
    if (holds_data(set)) return set;
    throw UsageError(
        fmt::format("AFFORD_DATA is '{}', which holds no models/, hardware/ and engines/", set));
  }
  static const fs::path own = own_data_folder();  // no program moves while it runs
  return own;
}

std::vector<fs::path> folders_of(std::string_view kind) {
  std::vector<fs::path> candidates = own_folders();
  for (fs::path& folder : candidates) folder /= kind;
  const fs::path shipped = data_folder() / kind;
  std::error_code error;
  if (kind == "hardware" && !fs::equivalent(kind, shipped, error)) candidates.emplace_back(kind);
  candidates.push_back(shipped);
  std::vector<fs::path> folders;
  for (fs::path& folder : candidates) {
    const bool known = std::any_of(folders.begin(), folders.end(), [&](const fs::path& other) {
      return fs::equivalent(folder, other, error);
    });
    if (!known && fs::is_directory(folder, error)) folders.push_back(std::move(folder));
  }
  return folders;
}

std::vector<std::string> names_of(std::string_view kind) {
  std::vector<std::string> names;
  for (const fs::path& folder : folders_of(kind)) {
    for (std::string& name : list_names(folder)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::vector<std::string> list_names(const fs::path& folder) {
  std::vector<std::string> names;
  for (const fs::path file : names_in(folder)) {
    if (is_entry(file)) names.push_back(file.stem().string());
  }
  std::sort(names.begin(), names.end());  // v3 before v3.2, unlike their files
  return names;
}

bool is_path(std::string_view name) {
  return name.find('/') != std::string_view::npos || name.ends_with(".yaml") ||
         name.ends_with(".yml") || name.ends_with(".json") || name.ends_with(".gguf");
}

fs::path entry_path(const std::string& name, std::string_view kind, std::string_view noun) {
  std::vector<std::string> known, folders;
  for (const fs::path& folder : folders_of(kind)) {
    std::error_code error;
    if (fs::path file = folder / (name + ".yaml"); is_entry(file) && fs::exists(file, error))
      return file;
    const std::vector<std::string> names = list_names(folder);
    known.insert(known.end(), names.begin(), names.end());
    folders.push_back(folder.string());
  }
  throw UsageError(fmt::format("no {} named '{}' in {}{}", noun, name, fmt::join(folders, ", "),
                               suggestion(name, known)));
}

}  // namespace afford
