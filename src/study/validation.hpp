#pragma once
// Predictions against published measurements: whole deployments, layers, kernels and the report's
// bounds, each under the assumptions of its system.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "study/deployment.hpp"
#include "study/kernel_tables.hpp"
#include "yaml/document.hpp"

namespace afford::study {

/// One set of assumptions, for all cases of a system.
struct System {
  std::string about;
  bool calibrated = false;    // on the calibration of its chips, and left out where there is none
  DeploymentRequest request;  // what its deployments have in common
  int micro_batches = 0;      // 0: the deployment's default
};

enum class CaseKind { afd, colocated, attention_layer, kernel, min_sparsity, weak_card };

struct PublishedCase {
  std::string name, system, quantity, source;
  CaseKind kind = CaseKind::afd;
  double published = 0, tolerance_pct = 0;
  DeploymentRequest request;  // the system's, with the case's deployment
  std::int64_t context = 0;   // tokens
};

/// The figures of validation/cases.yaml.
struct PublishedCases {
  Sources sources;
  std::map<std::string, System> systems;
  std::vector<PublishedCase> list;
};
/// Throws InputError.
[[nodiscard]] PublishedCases read_published_cases(const yaml::Node& root, const std::string& file);

/// A case with its prediction.
struct Judged {
  PublishedCase of;
  std::string source, assumptions, fidelity;
  double predicted = 0, deviation_pct = 0;
  bool within = false;  // its tolerance
  /// Of a deployment whose engine states its errors: whether the measured time lies in the
  /// interval.
  std::optional<bool> covered;
};

struct Validation {
  PublishedCases cases;
  std::vector<Judged> judged;
  size_t skipped = 0;  // calibrated cases without a calibration for their chips
  std::vector<KernelTable> tables;
  std::vector<KernelCheck> checks;  // of each table
  LeftOut left_out;                 // calibrations of other chips that cannot be read

  [[nodiscard]] size_t outside() const;
  [[nodiscard]] bool all_within() const;
};

/// All cases and kernel figures that come with afford; `calibration` as Conditions has it.
[[nodiscard]] Validation validation(const std::string& calibration);
/// Only the kernel tables of a folder.
[[nodiscard]] Validation validation_of_tables(const std::string& folder,
                                              const std::string& calibration);

}  // namespace afford::study
