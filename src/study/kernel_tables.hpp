#pragma once
// Kernels that others measured, against what afford predicts for them.

#include <filesystem>
#include <string>
#include <vector>

#include "kernels/kernel.hpp"
#include "load/library.hpp"
#include "load/read_once.hpp"
#include "spec/source.hpp"
#include "yaml/document.hpp"

namespace afford::study {

struct KernelPoint {
  std::string name;  // "32/4 heads, batch 16 at 4096"
  Kernel kernel;
  double measured_us = 0;
};

/// Measurements of one kernel on one chip.
struct KernelTable {
  std::string name, chip, kernel, source;
  double tolerance_pct = 0;  // of the median deviation: the kernels are not ours
  std::vector<KernelPoint> points;
  std::string engine = "ideal";  // whose tiles are predicted
};

/// The figures written down in validation/kernels.yaml. Throws InputError.
[[nodiscard]] std::vector<KernelTable> read_kernel_tables(const yaml::Node& root,
                                                          const std::string& file);

/// The tables in `folder` that are there: h200_gqa_decode.csv, h200_mla_decode.csv, h200_moe.csv,
/// h200_gemm.csv (aiconfigurator), a_attn_decode_infersim.csv, a_gemm_infersim.csv (InferSim).
/// Throws InputError for what a file says, UsageError when none is there.
[[nodiscard]] std::vector<KernelTable> read_table_folder(const std::filesystem::path& folder);

/// A table with its predictions.
struct KernelCheck {
  std::string fidelity;
  std::vector<double> predicted_us;    // of each point
  double median_pct = 0, p90_pct = 0;  // |deviation|
  double bias_pct = 0;                 // median deviation with its sign
  size_t worst = 0;                    // point
  bool within = false;
};
/// `left_out` as attach_calibrations() has it.
[[nodiscard]] KernelCheck check_kernels(const KernelTable& table, const std::string& calibration,
                                        ReadOnce& files, LeftOut* left_out = nullptr);

}  // namespace afford::study
