#include "load/calibrations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "calibration/calibration_file.hpp"
#include "calibration/chip_timing.hpp"
#include "error.hpp"
#include "load/library.hpp"
#include "text/file.hpp"
#include "text/suggest.hpp"
#include "yaml/document.hpp"

namespace afford {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view ending = ".calibration.yaml";

MeasuredChip load(const fs::path& path) {
  Calibration calibration = read_calibration(yaml::parse_file(path), path.string());
  HardwareSpec chip = load_hardware({calibration.provenance.chip}).front();
  Engine kernels = load_engines({calibration.provenance.engine}).front();
  return {.calibration = std::make_shared<const Calibration>(std::move(calibration)),
          .chip = std::move(chip),
          .kernels = std::make_shared<const Engine>(std::move(kernels))};
}

fs::path path_of(const std::string& name) {
  return data_folder() / "hardware" / (name + std::string(ending));
}

MeasuredChip load_named(const std::string& name) {
  if (is_path(name)) return load(name);
  std::vector<std::string> known = list_calibrations();
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    known.emplace_back("none");
    throw ValueError("calibration",
                     fmt::format(": no calibration named '{}'{}", name, suggestion(name, known)));
  }
  return load(path_of(name));
}

}  // namespace

std::vector<std::string> list_calibrations() {
  std::vector<std::string> names;
  for (const std::string& file : names_in(data_folder() / "hardware")) {
    if (file.ends_with(ending)) names.push_back(file.substr(0, file.size() - ending.size()));
  }
  return names;
}

void attach_calibrations(const std::vector<HardwareSpec*>& chips, const std::string& choice,
                         bool experts) {
  if (choice == "none") return;
  std::vector<MeasuredChip> loaded;
  if (!choice.empty()) {
    loaded.push_back(load_named(choice));
  } else {
    for (const std::string& name : list_calibrations()) loaded.push_back(load(path_of(name)));
  }
  for (HardwareSpec* chip : chips) {
    chip->measured = nullptr;
    for (const MeasuredChip& candidate : loaded) {
      const bool own = candidate.chip.name == chip->name;
      if (chip->measured == nullptr || own)
        if (auto timing = chip_timing(candidate, *chip, experts || !choice.empty()))
          chip->measured = timing;
    }
  }
}

}  // namespace afford
