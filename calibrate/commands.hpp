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
  std::string beside;  // a CSV: also times the cases for beside.py, into it; "": checks only
};

struct AfdOptions {
  std::string model;  // a file of models/
  std::vector<std::string> layouts{"1a1f"}, batches{"64x8k"};
  std::vector<int> micro_batches{1, 2, 3};
  std::string cache = "bf16";
  int shard = 1;
  std::string output = "afd.csv";
  std::string trace;        // the timelines of a single pipeline; "": none
  std::string calibration;  // that predictions stand on; "": the chip's own
};

struct LinksOptions {
  int gpus = 0;              // the first so many; 0: all
  std::string output = ".";  // an existing folder, or a calibration .yaml
};

struct FitOptions {
  std::vector<std::string> cards;  // calibrations of one chip, each of a card of its own
  std::string output = ".";        // an existing folder, or FILE.yaml
};

/// Which GPUs there are, and whether they can be calibrated.
[[nodiscard]] int list();
/// Measures, and writes the calibration and its points.
[[nodiscard]] int run(const RunOptions& options);
/// Checks every kernel on awkward shapes; exit_no when one is wrong, and then nothing is timed.
[[nodiscard]] int verify(const VerifyOptions& options);

/// Runs decode pipelines of a model over the GPUs of this server, and writes what they took.
[[nodiscard]] int afd(const AfdOptions& options);

/// Measures what moves between the GPUs of this server, into the calibration of their chip.
[[nodiscard]] int links(const LinksOptions& options);

/// One calibration of several cards from those of each, with their points beside them; needs no
/// GPU.
[[nodiscard]] int fit(const FitOptions& options);

/// Throws UsageError for a name that is no operation.
void check_operations(const std::vector<std::string>& names);

}  // namespace afford::calibrate
