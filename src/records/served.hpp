#pragma once
// The fields that the records of simulate, pareto and plan share. A figure that all of them are to
// say goes in here, once.

#include "report/record.hpp"
#include "study/served.hpp"

namespace afford {

[[nodiscard]] const Record<study::Served>& served_record();

}  // namespace afford
