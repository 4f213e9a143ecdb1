#pragma once
// A fitted engine as a file that every verb reads.

#include <string>

#include "study/engine_fit.hpp"

namespace afford::study {

/// Who made an engine file, out of what.
struct EngineFileNotes {
  std::string name;     // of the new engine
  std::string command;  // the whole command line
  std::string points;   // the file they come from
  std::string date;     // YYYY-MM-DD
};

/// engines/NAME.yaml: the base, what was fitted with its errors as the source, nothing else.
[[nodiscard]] std::string engine_file(const EngineFit& fit, const EngineFileNotes& notes);

}  // namespace afford::study
