#include <doctest/doctest.h>

#include <atomic>

#include "study/rental.hpp"

using namespace afford;

TEST_SUITE("unit") {
  TEST_CASE("a plan that is interrupted is none") {
    const std::atomic<bool> stop = true;
    study::RentalRequest request;
    request.workload_file = std::string(AFFORD_SOURCE) + "/reports/chat-50.yaml";
    request.calibration = "none";
    request.max_gpus = 16;
    request.batch_steps = 1;
    request.stop = &stop;
    const study::Rentals rentals = study::rentals(request);
    CHECK_FALSE(rentals.complete);
    CHECK(rentals.rows.empty());
  }
}
