#include "load/library.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <system_error>
#include <type_traits>

#include "error.hpp"
#include "import/import.hpp"
#include "load/readers.hpp"
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

/// A published config as a model, without a file in between.
ModelSpec read_published(const std::string& name) {
  const config::Checkpoint checkpoint = config::read_checkpoint(name);
  const config::Imported imported = config::import_checkpoint(checkpoint, {});
  ModelSpec model = read_model(yaml::parse(imported.yaml, checkpoint.path), checkpoint.path);
  for (const config::KeyNote& note : imported.notes) {
    using Kind = config::KeyNote::Kind;
    if (note.kind == Kind::defaulted)
      model.notes.push_back(fmt::format("{} = {} ({})", note.key, note.value, note.why));
    if (note.kind == Kind::not_understood)
      model.notes.push_back(fmt::format("'{}' ({}) is not understood", note.key, note.value));
  }
  return model;
}

/// The file of an entry of data_folder()/kind.
fs::path entry_path(const std::string& name, std::string_view kind, std::string_view noun) {
  const fs::path folder = data_folder() / kind;
  const std::vector<std::string> known = list_names(folder);
  if (std::find(known.begin(), known.end(), name) != known.end()) return folder / (name + ".yaml");
  throw UsageError(fmt::format("no {} named '{}' in {}{}", noun, name, folder.string(),
                               suggestion(name, known)));
}

/// What the entries of one folder are, and who reads them.
template <class Spec>
struct Kind {
  std::string_view folder, noun;
  Spec (*read)(const yaml::Node&, const std::string&);
};

constexpr Kind<ModelSpec> model_kind{"models", "model", read_model};
constexpr Kind<HardwareSpec> chip_kind{"hardware", "hardware", read_hardware};
constexpr Kind<Engine> engine_kind{"engines", "engine", read_engine};

template <class Spec>
Spec read_entry(const Kind<Spec>& kind, const fs::path& path) {
  if constexpr (std::is_same_v<Spec, ModelSpec>) {
    if (config::is_published(path.string())) return read_published(path.string());
  }
  return kind.read(yaml::parse_file(path), path.string());
}

/// Every entry of the folder that can be read.
template <class Spec>
void add_all(std::vector<Spec>& specs, const Kind<Spec>& kind, LeftOut* left_out) {
  const fs::path folder = data_folder() / kind.folder;
  for (const std::string& entry : list_names(folder)) {
    const fs::path file = folder / (entry + ".yaml");
    try {
      specs.push_back(read_entry(kind, file));
    } catch (const InputError& error) {
      leave_out(error, left_out);
    }
  }
}

template <class Spec>
Spec load_one(const std::string& name, const Kind<Spec>& kind) {
  return read_entry(kind,
                    is_path(name) ? fs::path(name) : entry_path(name, kind.folder, kind.noun));
}

template <class Spec>
std::vector<Spec> load(const std::vector<std::string>& wanted, const Kind<Spec>& kind,
                       LeftOut* left_out) {
  std::vector<Spec> specs;
  for (const std::string& name : wanted) {
    if (name == "all")
      add_all(specs, kind, left_out);
    else
      specs.push_back(load_one(name, kind));
  }
  if (specs.empty() && left_out != nullptr && !left_out->empty())
    throw UsageError(fmt::format("no {} can be read: {}", kind.noun, left_out->front()));
  return specs;
}

/// A checkpoint's name in small letters, without its publisher, format and tuning.
std::string bare(std::string_view checkpoint) {
  std::string name(checkpoint.substr(checkpoint.rfind('/') + 1));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::string_view endings[] = {"-fp8", "-nvfp4", "-fp4", "-bf16", "-int4", "-instruct"};
  for (bool shorter = true; shorter;) {
    shorter = false;
    for (const std::string_view ending : endings) {
      if (!name.ends_with(ending)) continue;
      name.resize(name.size() - ending.size());
      shorter = true;
    }
  }
  return name;
}

/// Of a model file; none where it cannot be read, which is for those to say who want that model.
std::vector<std::string> aliases_of(const fs::path& path) {
  try {
    return read_model(yaml::parse_file(path), path.string()).aliases;
  } catch (const InputError& error) {
    if (!error.of_content()) throw;
    return {};
  }
}

}  // namespace

fs::path data_folder() {
  if (const char* set = std::getenv("AFFORD_DATA"); set != nullptr && *set != '\0') {
    if (holds_data(set)) return set;
    throw UsageError(
        fmt::format("AFFORD_DATA is '{}', which holds no models/, hardware/ and engines/", set));
  }
  std::error_code error;
  const fs::path binary = fs::read_symlink("/proc/self/exe", error);
  fs::path installed = binary.parent_path().parent_path() / "share" / "afford";
  if (holds_data(installed)) return installed;
  // A build tree: build/<preset>/afford under the sources.
  fs::path folder = binary.parent_path();
  for (int up = 0; up < 4 && folder.has_relative_path(); ++up, folder = folder.parent_path()) {
    if (holds_data(folder) && fs::exists(folder / "CMakePresets.json", error)) return folder;
  }
  throw UsageError(
      "cannot find models/, hardware/ and engines/; set AFFORD_DATA to the folder that holds them");
}

std::vector<std::string> list_names(const fs::path& folder) {
  std::vector<std::string> names;
  for (const fs::path file : names_in(folder)) {
    // h200.calibration.yaml is not an entry of its own.
    const bool is_entry = file.extension() == ".yaml" && file.stem().extension() != ".calibration";
    if (is_entry) names.push_back(file.stem().string());
  }
  std::sort(names.begin(), names.end());  // v3 before v3.2, unlike their files
  return names;
}

bool is_published_config(const fs::path& path) { return config::is_published(path.string()); }

bool is_path(std::string_view name) {
  return name.find('/') != std::string_view::npos || name.ends_with(".yaml") ||
         name.ends_with(".yml") || name.ends_with(".json") || name.ends_with(".gguf");
}

std::optional<std::string> model_published_as(std::string_view checkpoint) {
  const std::string wanted = bare(checkpoint);
  const fs::path folder = data_folder() / "models";
  const std::vector<std::string> names = list_names(folder);
  if (std::find(names.begin(), names.end(), wanted) != names.end()) return wanted;
  for (const std::string& name : names) {
    const fs::path path = folder / (name + ".yaml");
    for (const std::string& alias : aliases_of(path)) {
      if (bare(alias) == wanted) return name;
    }
  }
  return std::nullopt;
}

std::vector<ModelSpec> load_models(const std::vector<std::string>& names, LeftOut* left_out) {
  return load(names, model_kind, left_out);
}

std::vector<HardwareSpec> load_hardware(const std::vector<std::string>& names, LeftOut* left_out) {
  return load(names, chip_kind, left_out);
}

std::vector<Engine> load_engines(const std::vector<std::string>& names, LeftOut* left_out) {
  return load(names, engine_kind, left_out);
}

ModelSpec load_model(const std::string& name) { return load_one(name, model_kind); }
HardwareSpec load_chip(const std::string& name) { return load_one(name, chip_kind); }
Engine load_engine(const std::string& name) { return load_one(name, engine_kind); }

void leave_out(const InputError& error, LeftOut* left_out) {
  if (left_out == nullptr || !error.of_content()) throw error;
  const std::string message = error.what();
  if (std::find(left_out->begin(), left_out->end(), message) == left_out->end())
    left_out->push_back(message);
}

fs::path model_path(const std::string& name) {
  return is_path(name) ? fs::path(name) : entry_path(name, "models", "model");
}

fs::path hardware_path(const std::string& name) {
  return is_path(name) ? fs::path(name) : entry_path(name, "hardware", "hardware");
}

fs::path engine_path(const std::string& name) {
  return is_path(name) ? fs::path(name) : entry_path(name, "engines", "engine");
}

}  // namespace afford
