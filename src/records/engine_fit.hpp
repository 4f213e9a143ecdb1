#pragma once
// A fitted engine as a record: one row a parameter.

#include "report/record.hpp"
#include "study/engine_fit.hpp"

namespace afford {

[[nodiscard]] Table engine_fit_table(const study::EngineFit& fit);

}  // namespace afford
