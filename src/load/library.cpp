#include "load/library.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "error.hpp"
#include "import/import.hpp"
#include "load/readers.hpp"

namespace afford {
namespace {

namespace fs = std::filesystem;

/// A specification out of a tree with edits. What the reader has against an edited value is the
/// user's to mend, so it is said of --set rather than of the file.
template <class Spec>
Spec read_edited(const yaml::Node& root, const std::string& file, const Edits& edits,
                 Spec (*read)(const yaml::Node&, const std::string&)) {
  if (edits.empty()) return read(root, file);
  (void)read(root, file);  // a fault of the file is its own
  yaml::Node edited = root;
  apply_edits(edited, edits);
  try {
    return read(edited, file);
  } catch (const InputError& error) {
    const std::string text = error.what(), place = ": ";
    const size_t end = text.find(place, std::min(file.size() + 1, text.size()));
    throw ValueError(edits.back().flag(),
                     end == std::string::npos ? ": " + text : text.substr(end));
  }
}

/// A published config as a model, without a file in between.
ModelSpec read_published(const std::string& name, const Edits& edits) {
  const config::Checkpoint checkpoint = config::read_checkpoint(name);
  const config::Imported imported = config::import_checkpoint(checkpoint, {});
  ModelSpec model =
      read_edited(yaml::parse(imported.yaml, checkpoint.path), checkpoint.path, edits, read_model);
  for (const config::KeyNote& note : imported.notes) {
    using Kind = config::KeyNote::Kind;
    if (note.kind == Kind::defaulted)
      model.notes.push_back(fmt::format("{} = {} ({})", note.key, note.value, note.why));
    if (note.kind == Kind::not_understood)
      model.notes.push_back(fmt::format("'{}' ({}) is not understood", note.key, note.value));
  }
  return model;
}

/// What the entries of one folder are, and who reads them.
template <class Spec>
struct Kind {
  std::string_view folder, noun;
  Spec (*read)(const fs::path&, const Edits&);
};

ModelSpec read_any_model(const fs::path& path, const Edits& edits) {
  const Edits own = edits_of(edits, "model");
  if (config::is_published(path.string())) return read_published(path.string(), own);
  return read_edited(yaml::parse_file(path), path.string(), own, read_model);
}

HardwareSpec read_any_chip(const fs::path& path, const Edits& edits) {
  const yaml::SharedNode root = yaml::parse_file(path);
  const HardwareSpec chip = read_hardware(root, path.string());
  const Edits own = edits_of(edits, chip.name);
  return own.empty() ? chip : read_edited(root, path.string(), own, read_hardware);
}

Engine read_any_engine(const fs::path& path, const Edits& edits) {
  Engine engine = read_engine(yaml::parse_file(path), path.string());
  apply_edits(engine, edits_of(edits, "engine"));
  return engine;
}

constexpr Kind<ModelSpec> model_kind{"models", "model", read_any_model};
constexpr Kind<HardwareSpec> chip_kind{"hardware", "hardware", read_any_chip};
constexpr Kind<Engine> engine_kind{"engines", "engine", read_any_engine};

/// Every entry of the folders that can be read.
template <class Spec>
void add_all(std::vector<Spec>& specs, const Kind<Spec>& kind, const Edits& edits,
             LeftOut* left_out) {
  for (const std::string& entry : names_of(kind.folder)) {
    try {
      specs.push_back(kind.read(entry_path(entry, kind.folder, kind.noun), edits));
    } catch (const InputError& error) {
      leave_out(error, left_out);
    }
  }
}

template <class Spec>
Spec load_one(const std::string& name, const Kind<Spec>& kind, const Edits& edits) {
  const fs::path path = is_path(name) ? fs::path(name) : entry_path(name, kind.folder, kind.noun);
  return kind.read(path, edits);
}

template <class Spec>
std::vector<Spec> load(const std::vector<std::string>& wanted, const Kind<Spec>& kind,
                       const Edits& edits, LeftOut* left_out) {
  if (wanted.empty()) throw ValueError(std::string(kind.noun), ": expected at least one name");
  std::vector<Spec> specs;
  for (const std::string& name : wanted) {
    if (name == "all")
      add_all(specs, kind, edits, left_out);
    else
      specs.push_back(load_one(name, kind, edits));
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

bool is_published_config(const fs::path& path) { return config::is_published(path.string()); }

std::optional<std::string> model_published_as(std::string_view checkpoint) {
  const std::string wanted = bare(checkpoint);
  const std::vector<std::string> names = names_of("models");
  if (std::find(names.begin(), names.end(), wanted) != names.end()) return wanted;
  for (const std::string& name : names) {
    for (const std::string& alias : aliases_of(entry_path(name, "models", "model"))) {
      if (bare(alias) == wanted) return name;
    }
  }
  return std::nullopt;
}

std::vector<ModelSpec> load_models(const std::vector<std::string>& names, const Edits& edits,
                                   LeftOut* left_out) {
  return load(names, model_kind, edits, left_out);
}

std::vector<HardwareSpec> load_hardware(const std::vector<std::string>& names, const Edits& edits,
                                        LeftOut* left_out) {
  return load(names, chip_kind, edits, left_out);
}

std::vector<Engine> load_engines(const std::vector<std::string>& names, const Edits& edits,
                                 LeftOut* left_out) {
  return load(names, engine_kind, edits, left_out);
}

ModelSpec load_model(const std::string& name, const Edits& edits) {
  return load_one(name, model_kind, edits);
}
HardwareSpec load_chip(const std::string& name, const Edits& edits) {
  return load_one(name, chip_kind, edits);
}
Engine load_engine(const std::string& name, const Edits& edits) {
  return load_one(name, engine_kind, edits);
}

void leave_out(const InputError& error, LeftOut* left_out) {
  if (left_out == nullptr || !error.of_content()) throw error;
  const std::string message = error.what();
  if (std::find(left_out->begin(), left_out->end(), message) == left_out->end())
    left_out->push_back(message);
}

namespace {

/// The path that a name is, or that of the entry.
fs::path path_called(const std::string& name, std::string_view kind, std::string_view noun) {
  if (!is_path(name)) return entry_path(name, kind, noun);
  std::error_code unknown;
  const bool published = kind == model_kind.folder && config::is_published(name);
  if (!published && !fs::exists(name, unknown)) throw InputError({name, 0, 0}, "no such file");
  return name;
}

}  // namespace

fs::path model_path(const std::string& name) { return path_called(name, "models", "model"); }

fs::path hardware_path(const std::string& name) {
  return path_called(name, "hardware", "hardware");
}

fs::path engine_path(const std::string& name) { return path_called(name, "engines", "engine"); }

}  // namespace afford
