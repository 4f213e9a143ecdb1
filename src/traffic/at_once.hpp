#pragma once
// How bursty arrivals are, before any server shapes them.

#include "traffic/arrivals.hpp"
#include "units.hpp"

namespace afford {

/// The most requests in flight that a share of all tokens sees, if each request decoded from its
/// arrival on, `token` for each of its tokens: what a server without queues would hold. Arrivals
/// never fall. 0 of no tokens.
[[nodiscard]] double in_flight_at_once(const RequestSource& source, Seconds token, double share);

}  // namespace afford
