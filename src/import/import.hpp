#pragma once
// From a published config.json to a model file.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "import/checkpoint.hpp"
#include "import/config.hpp"
#include "import/draft.hpp"

namespace afford::config {

struct ImportOptions {
  std::string name, title;   // empty: from the file's name
  std::string source, date;  // of the shapes; empty: the file and the day of the import
  bool paper_precision = false;
  Assumptions assumptions;
  std::string published_source, published_date;
  std::optional<Published> total, active;
  std::string command;             // for the head of the file; empty: none
  const Beside* beside = nullptr;  // what states formats beside the config
};

struct Imported {
  std::string yaml;
  std::vector<KeyNote> notes;
};

/// A family and the model types that are built like it, its own first.
struct FamilyTypes {
  std::string_view family;
  std::vector<std::string_view> model_types;
};
[[nodiscard]] std::vector<FamilyTypes> known_families();

/// Throws InputError for what the file says, UsageError for what the options say.
[[nodiscard]] Imported import_config(const json::Value& root, const ImportOptions& options);
/// With what stands beside the config, under the checkpoint's name unless the options have one.
[[nodiscard]] Imported import_checkpoint(const Checkpoint& checkpoint, ImportOptions options);

/// "DeepSeek-V3.2.json" -> "deepseek-v3.2"; "GLM-5/config.json" -> "glm-5";
/// "models--zai-org--GLM-5/snapshots/1a2b/config.json" -> "glm-5".
[[nodiscard]] std::string name_from(const std::filesystem::path& path);

}  // namespace afford::config
