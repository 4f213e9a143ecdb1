#pragma once
// Plans as a record with its notes.

#include <string>
#include <vector>

#include "report/record.hpp"
#include "study/rental.hpp"

namespace afford {

/// `point`: any of the sweep's, for its columns.
[[nodiscard]] Record<study::Rental> rental_record(const study::SweepPoint& point);

/// Of a part of a plan: reserved, on demand, or in peak hours.
[[nodiscard]] std::string contract_text(const Rented& rented);

/// The traffic, the best plan of each point, what they rest on, break-even points.
[[nodiscard]] std::vector<std::string> notes_on(const study::Rentals& rentals,
                                                const study::RentalRequest& request);

}  // namespace afford
