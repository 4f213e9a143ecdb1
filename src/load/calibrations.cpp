#include "load/calibrations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <system_error>

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

/// Where the value under these keys stands.
Place place_of(const yaml::Node& root, std::initializer_list<std::string_view> keys,
               const fs::path& file) {
  const yaml::Node* node = &root;
  for (const std::string_view key : keys) {
    const auto at = std::find_if(node->keys.begin(), node->keys.end(),
                                 [&](const yaml::Node& each) { return each.text == key; });
    if (at != node->keys.end()) node = &node->items[static_cast<size_t>(at - node->keys.begin())];
  }
  return {file.string(), node->line, node->column};
}

fs::path path_of(const std::string& name) {
  const std::string file = name + std::string(ending);
  for (const fs::path& folder : folders_of("hardware")) {
    std::error_code error;
    if (fs::exists(folder / file, error)) return folder / file;
  }
  return data_folder() / "hardware" / file;
}

/// The engines that calibrations were measured as, each read once.
using KnownEngines = std::map<std::string, std::shared_ptr<const Engine>>;

std::shared_ptr<const Engine> known_engine(const std::string& name, KnownEngines& known) {
  std::shared_ptr<const Engine>& engine = known[name];
  if (engine == nullptr) engine = std::make_shared<const Engine>(load_engine(name));
  return engine;
}

MeasuredChip load(const fs::path& path, KnownEngines& known) {
  const yaml::SharedNode file = yaml::parse_file(path);
  const yaml::Node& root = file;
  Calibration calibration = read_calibration(root, path.string());
  const Provenance& from = calibration.provenance;
  HardwareSpec chip =
      named_at(place_of(root, {"chip"}, path), [&] { return load_chip(from.chip); });
  std::shared_ptr<const Engine> kernels =
      named_at(place_of(root, {"measured", "engine"}, path),
               [&] { return known_engine(from.engine, known); });
  return {.calibration = std::make_shared<const Calibration>(std::move(calibration)),
          .chip = std::move(chip),
          .kernels = std::move(kernels)};
}

MeasuredChip load_named(const std::string& name) {
  if (is_path(name)) return load_calibration(name);
  std::vector<std::string> known = list_calibrations();
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    known.emplace_back("none");
    throw ValueError("calibration",
                     fmt::format(": no calibration named '{}'{}", name, suggestion(name, known)));
  }
  return load_calibration(path_of(name));
}

/// One that cannot be read stops the run of the chip it is named after.
void leave_out_unread(const Calibrations& calibrations, const std::vector<HardwareSpec*>& chips,
                      LeftOut* left_out) {
  for (const Calibrations::Unread& unread : calibrations.unread) {
    const bool own = std::any_of(chips.begin(), chips.end(), [&](const HardwareSpec* chip) {
      return chip->name == unread.name;
    });
    leave_out(unread.error, own ? nullptr : left_out);
  }
}

/// How unlike two memories are, whose speed most of a transfer rests on.
double unlike(const HardwareSpec& a, const HardwareSpec& b) {
  return std::fabs(std::log(pin_bandwidth(a) / pin_bandwidth(b)));
}

/// The chip's own calibration, else of those that carry over to it the one with the memory most
/// like its own; null where none does. One without curves of prompts, or of MLA over an FP8 cache,
/// takes them from the next that has any: tensor cores bind these kernels, which chips of an
/// architecture have alike.
std::shared_ptr<const ChipTiming> best_timing(const std::vector<MeasuredChip>& loaded,
                                              const HardwareSpec& chip, bool experts) {
  std::vector<const MeasuredChip*> nearest;
  for (const MeasuredChip& candidate : loaded) nearest.push_back(&candidate);
  const auto distance = [&](const MeasuredChip* candidate) {
    return candidate->chip.name == chip.name ? -1 : unlike(candidate->chip, chip);
  };
  std::stable_sort(nearest.begin(), nearest.end(),
                   [&](const auto* a, const auto* b) { return distance(a) < distance(b); });
  const MeasuredChip* chosen = nullptr;
  std::shared_ptr<const ChipTiming> best;
  for (const MeasuredChip* candidate : nearest) {
    std::shared_ptr<const ChipTiming> timing = chip_timing(*candidate, chip, experts);
    if (timing == nullptr) continue;
    if (best == nullptr) {
      chosen = candidate;
      best = std::move(timing);
    } else if (could_lend(*timing, *best)) {
      return chip_timing(*chosen, chip, experts, std::move(timing));
    }
  }
  return best;
}

}  // namespace

MeasuredChip load_calibration(const fs::path& path) {
  KnownEngines known;
  return load(path, known);
}

std::vector<std::string> list_calibrations() {
  std::vector<std::string> names;
  for (const fs::path& folder : folders_of("hardware")) {
    for (const std::string& file : names_in(folder)) {
      if (!file.ends_with(ending)) continue;
      std::string name = file.substr(0, file.size() - ending.size());
      if (std::find(names.begin(), names.end(), name) == names.end())
        names.push_back(std::move(name));
    }
  }
  return names;
}

Calibrations load_calibrations(const std::string& choice) {
  Calibrations loaded;
  if (choice == "none") return loaded;
  loaded.named = !choice.empty();
  if (loaded.named) {
    loaded.read.push_back(load_named(choice));
    return loaded;
  }
  KnownEngines known;
  for (const std::string& name : list_calibrations()) {
    try {
      loaded.read.push_back(load(path_of(name), known));
    } catch (const InputError& error) {
      loaded.unread.push_back({name, error});
    }
  }
  return loaded;
}

std::optional<Calibrations> own_calibrations(const std::vector<std::string>& chips) {
  const std::vector<fs::path> folders = folders_of("hardware");
  if (folders.size() != 1) return std::nullopt;
  Calibrations own;
  KnownEngines known;
  for (const std::string& chip : chips) {
    const fs::path path = folders.front() / (chip + std::string(ending));
    std::error_code error;
    if (!fs::exists(path, error)) return std::nullopt;
    try {
      own.read.push_back(load(path, known));
    } catch (const InputError&) {
      return std::nullopt;  // whoever reads all says what is wrong
    }
    if (own.read.back().chip.name != chip) return std::nullopt;
  }
  return own;
}

void attach_calibrations(const std::vector<HardwareSpec*>& chips, const Calibrations& calibrations,
                         bool experts, LeftOut* left_out) {
  leave_out_unread(calibrations, chips, left_out);
  for (HardwareSpec* chip : chips)
    chip->measured = best_timing(calibrations.read, *chip, experts || calibrations.named);
}

void attach_calibrations(const std::vector<HardwareSpec*>& chips, const std::string& choice,
                         bool experts, LeftOut* left_out) {
  attach_calibrations(chips, load_calibrations(choice), experts, left_out);
}

}  // namespace afford
