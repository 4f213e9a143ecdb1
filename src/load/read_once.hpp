#pragma once
// What a run has read from files, kept for when it asks again: every point of a sweep wants the
// same chips, engines and calibrations.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "load/calibrations.hpp"
#include "load/library.hpp"

namespace afford {

/// For one run, by one thread: a file that changes meanwhile is not read anew.
class ReadOnce {
 public:
  /// As load_chip(), load_engine() and load_calibrations() have it; engines without their
  /// citations, as settings are copied.
  [[nodiscard]] const HardwareSpec& chip(const std::string& name, const Edits& edits);
  [[nodiscard]] const Engine& engine(const std::string& name, const Edits& edits);
  /// `own_of`: chips whose own calibrations are enough, as own_calibrations() has it; none: all.
  [[nodiscard]] const Calibrations& calibrations(const std::string& choice,
                                                 const std::vector<std::string>& own_of = {});

 private:
  std::map<std::string, HardwareSpec> chips_;  // by name and edits
  std::map<std::string, Engine> engines_;
  std::map<std::string, Calibrations> calibrations_;
  std::map<std::string, std::optional<Calibrations>> own_calibrations_;  // by names of chips
};

}  // namespace afford
