#pragma once
// The fields that the records of simulate, pareto and plan share. A figure that all of them are to
// say goes in here, once.

#include <string>
#include <vector>

#include "report/record.hpp"
#include "study/served.hpp"

namespace afford {

[[nodiscard]] const Record<study::Served>& served_record();

/// A deployment and the engine it runs on.
struct EngineUse {
  bool afd = false;   // or co-located
  std::string label;  // "EP32"
  const study::Served* served = nullptr;
};

/// Which engine stands on top of each way, whether it was `named` ("": assumed), and what the first
/// few deployments would take under none. Empty where every one runs on ideal.
[[nodiscard]] std::string engine_note(const std::vector<EngineUse>& uses, const std::string& named);

}  // namespace afford
