#pragma once
// What is wrong with a file.

#include <string>
#include <vector>

namespace afford::study {

/// A file that reads. What does not is an InputError.
struct FileCheck {
  std::string what;                 // "ok, hardware h800"; empty when there are doubts
  std::vector<std::string> doubts;  // what does not stop a model from loading
  std::vector<std::string> notes;   // what the import of a checkpoint filled in
};
/// A model, a chip, an engine, a calibration, or a CSV of its points. Throws InputError.
[[nodiscard]] FileCheck check_file(const std::string& file);

}  // namespace afford::study
