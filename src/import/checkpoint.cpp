#include "import/checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <system_error>

#include "import/gguf.hpp"
#include "import/import.hpp"
#include "text/file.hpp"

namespace afford::config {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view config_name = "config.json", standard_input = "-", gguf = ".gguf";

struct Sibling {
  std::string_view file, method;
};
// ModelOpt, AutoGPTQ, AutoAWQ, AutoRound, Ascend's ModelSlim.
constexpr Sibling siblings[] = {{"hf_quant_config.json", "modelopt"},
                                {"quantize_config.json", "gptq"},
                                {"quant_config.json", "awq"},
                                {"quantization_config.json", "auto-round"},
                                {"quant_model_description.json", "modelslim"}};

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

bool is_folder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

fs::path hub_cache() {
  if (const std::string set = environment("HF_HUB_CACHE"); !set.empty()) return set;
  if (const std::string home = environment("HF_HOME"); !home.empty()) return fs::path(home) / "hub";
  return fs::path(environment("HOME")) / ".cache" / "huggingface" / "hub";
}

/// "org/name", and nothing else a path may be.
bool is_repository(std::string_view name) {
  const size_t slash = name.find('/');
  return slash != std::string_view::npos && slash > 0 && slash + 1 < name.size() &&
         name.find('/', slash + 1) == std::string_view::npos && name.front() != '.' &&
         name.front() != '~' && !name.ends_with(".yaml") && !name.ends_with(".yml") &&
         !name.ends_with(".json") && !name.ends_with(".gguf");
}

std::string first_line(const fs::path& path) {
  constexpr size_t longest = 256;
  std::string text = read_whole(path, longest, "a reference of the Hugging Face cache");
  text.resize(std::min(text.find_first_of("\r\n"), text.size()));
  return text;
}

/// What states formats beside a config: "config.json" has "hf_quant_config.json" beside it,
/// "org--name_config.json" has "org--name_hf_quant_config.json".
std::optional<Beside> read_beside(const fs::path& config) {
  const std::string own = config.filename().string();
  if (!own.ends_with(config_name)) return std::nullopt;
  const std::string start = own.substr(0, own.size() - config_name.size());
  for (const Sibling& each : siblings) {
    const fs::path path = config.parent_path() / (start + std::string(each.file));
    if (path == config || !is_file(path)) continue;
    return Beside{path.filename().string(), std::string(each.method), json::parse_file(path)};
  }
  return std::nullopt;
}

/// The config.json of a folder; else Mistral's params.json.
fs::path config_in(const fs::path& folder) {
  for (const std::string_view each : {config_name, std::string_view("params.json")}) {
    if (is_file(folder / each)) return folder / each;
  }
  throw InputError({folder.string()}, "the folder holds no config.json");
}

fs::path config_of(const std::string& name) {
  if (is_folder(name)) return config_in(name);
  if (is_file(name) || !is_repository(name)) return name;
  if (const auto snapshot = cached_snapshot(name)) return config_in(*snapshot);
  throw InputError({name},
                   fmt::format("no such file, and no such repository in {}", hub_cache().string()));
}

}  // namespace

std::optional<fs::path> cached_snapshot(std::string_view repository) {
  const size_t slash = repository.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const fs::path folder = hub_cache() / fmt::format("models--{}--{}", repository.substr(0, slash),
                                                    repository.substr(slash + 1));
  const fs::path reference = folder / "refs" / "main";
  if (is_file(reference)) {
    fs::path snapshot = folder / "snapshots" / first_line(reference);
    if (is_folder(snapshot)) return snapshot;
  }
  // A revision that was asked for by its hash leaves no reference behind.
  if (!is_folder(folder / "snapshots")) return std::nullopt;
  std::optional<fs::path> only;
  for (const auto& entry : fs::directory_iterator(folder / "snapshots")) {
    if (only) {
      throw InputError({folder.string()},
                       "several snapshots and no refs/main; name one of their folders");
    }
    only = entry.path();
  }
  return only;
}

bool is_published(const std::string& name) {
  if (name == standard_input || name.ends_with(".json") || name.ends_with(gguf)) return true;
  if (is_folder(name)) return true;
  if (is_file(name) || name.ends_with(".yaml") || name.ends_with(".yml")) return false;
  return is_repository(name);
}

Checkpoint read_checkpoint(const std::string& name) {
  if (name == standard_input) {
    const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
    return {.path = "<stdin>",
            .name = "stdin",
            .config = json::parse(text, "<stdin>"),
            .beside = std::nullopt,
            .disk = std::nullopt};
  }
  const fs::path path = config_of(name);
  if (path.extension() == gguf) {
    const std::string file = path.string();
    const GgufHeader header = read_gguf(path);
    const GgufConfig config = config_of_gguf(header, file);
    return {.path = file,
            .name = name_from(path),
            .config = json::parse(config.config, file),
            .beside = Beside{path.filename().string(), "gguf", json::parse(config.formats, file)},
            .disk = gguf_size(header)};
  }
  return {
      .path = path.string(),
      .name = name_from(path),
      .config = json::parse_file(path),
      .beside = read_beside(path),
      .disk = path.filename() == config_name ? safetensors_size(path.parent_path()) : std::nullopt};
}

}  // namespace afford::config
