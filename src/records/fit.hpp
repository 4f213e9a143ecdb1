#pragma once
// What fits, as a record and as bars.

#include <string>
#include <vector>

#include "report/record.hpp"
#include "study/fit.hpp"

namespace afford {

/// A row a pool of each fit.
[[nodiscard]] Table table_of(const study::Fits& fits);

/// The fullest accelerator of each pool as a bar of its parts.
[[nodiscard]] std::string memory_bars(const study::Fits& fits);

[[nodiscard]] std::vector<std::string> notes_on(const study::Fits& fits,
                                                const study::FitRequest& request);

}  // namespace afford
