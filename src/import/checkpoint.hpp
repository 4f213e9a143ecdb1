#pragma once
// A published model as it lies on disk: a config.json, the folder that holds it, or a repository
// in the Hugging Face cache, with what stands beside the config.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "import/disk_size.hpp"
#include "import/json.hpp"

namespace afford::config {

/// A file beside the config that states formats, and the tool whose words it uses.
struct Beside {
  std::string file;    // its name, as messages show it
  std::string method;  // a quant_method, where the file does not state its own
  json::Value root;
};

struct Checkpoint {
  std::string path;  // of the config
  std::string name;  // after the repository, the folder or the file
  json::Value config;
  std::optional<Beside> beside;
  std::optional<DiskSize> disk;  // of the weights beside the config
};

/// Whether `name` means a published model and not one of our model files: a .json, a folder with a
/// config.json, "-", or "org/name" in the cache.
[[nodiscard]] bool is_published(const std::string& name);

/// Reads it ("-": a config from standard input). Throws InputError.
[[nodiscard]] Checkpoint read_checkpoint(const std::string& name);

/// The snapshot of "org/name" that refs/main points at, under HF_HUB_CACHE, HF_HOME/hub or
/// ~/.cache/huggingface/hub; nothing where there is none.
[[nodiscard]] std::optional<std::filesystem::path> cached_snapshot(std::string_view repository);

}  // namespace afford::config
