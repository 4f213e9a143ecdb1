#include <doctest/doctest.h>

#include <cmath>

#include "calibration/least_squares.hpp"

using namespace afford;

namespace {

/// y = slope x with unit errors, and a prior of deviation `prior` on an intercept nothing depends
/// on.
Residuals line(const std::vector<double>& xs, double slope, double prior) {
  const auto count = static_cast<Eigen::Index>(xs.size());
  return {.of =
              [xs, slope, prior, count](const Eigen::VectorXd& p, Eigen::VectorXd& r) {
                for (Eigen::Index i = 0; i < count; ++i)
                  r[i] = (p[0] - slope) * xs[static_cast<size_t>(i)];
                r[count] = p[1] / prior;
              },
          .data = count,
          .all = count + 1};
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("a parameter is known as well as its measurements, or as its prior says") {
    const Residuals problem = line({1, 2, 2}, 3, 0.5);
    const Minimum minimum = least_squares(problem, Eigen::VectorXd::Constant(2, 1), 20);
    CHECK(minimum.parameters[0] == doctest::Approx(3));
    CHECK(minimum.parameters[1] == doctest::Approx(0));
    const Eigen::VectorXd deviations = deviations_at(problem, minimum.parameters);
    CHECK(deviations[0] == doctest::Approx(1 / std::sqrt(1 + 4 + 4)));
    CHECK(deviations[1] == doctest::Approx(0.5));
  }
}
