#include "study/entry.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "error.hpp"
#include "load/calibrations.hpp"
#include "load/library.hpp"
#include "text/suggest.hpp"
#include "yaml/document.hpp"

namespace afford::study {
namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_model(const std::string& name) {
  const auto models = list_names(data_folder() / "models");
  const auto hardware = list_names(data_folder() / "hardware");
  if (contains(models, name)) return true;
  if (contains(hardware, name)) return false;
  if (is_path(name)) {
    if (is_published_config(name)) return true;
    const yaml::Node root = yaml::parse_file(name);
    return std::any_of(root.keys.begin(), root.keys.end(),
                       [](const yaml::Node& key) { return key.text == "layers"; });
  }
  std::vector<std::string> all = models;
  all.insert(all.end(), hardware.begin(), hardware.end());
  throw UsageError(fmt::format("no model or hardware named '{}'{}", name, suggestion(name, all)));
}

}  // namespace

Entry entry(const std::string& name) {
  if (is_model(name)) return load_models({name}).front();
  std::vector<HardwareSpec> chips = load_hardware({name});
  attach_calibrations(pointers_to(chips), "");
  return std::move(chips.front());
}

}  // namespace afford::study
