#pragma once
// The verbs of afford-calibrate; each returns the exit code. All throw UsageError.

#include <string>
#include <vector>

namespace afford::calibrate {

struct RunOptions {
  int gpu = 0;
  bool quick = false;             // fewer points, shorter
  std::vector<std::string> only;  // operations; all when empty
  std::string output = ".";       // an existing folder, or a file .yaml
  double seconds = 0;             // of samples a point; 0: 0.2, quick 0.1
};

struct VerifyOptions {
  int gpu = 0;
  std::vector<std::string> only;
};

/// Which GPUs there are, and whether they can be calibrated.
[[nodiscard]] int list();
/// Measures, and writes the calibration and its points.
[[nodiscard]] int run(const RunOptions& options);
/// Checks every kernel on awkward shapes; exit_no when one is wrong.
[[nodiscard]] int verify(const VerifyOptions& options);

/// Throws UsageError for a name that is no operation.
void check_operations(const std::vector<std::string>& names);

}  // namespace afford::calibrate
