#pragma once
// Robust nonlinear least squares for a few dozen parameters and a few hundred points.

#include <Eigen/Core>
#include <functional>

namespace afford {

/// Residuals of a parameter vector: the first `data` are measurements, on which large ones count
/// less (Huber); the rest are priors, one standard deviation each.
struct Residuals {
  std::function<void(const Eigen::VectorXd& parameters, Eigen::VectorXd& residuals)> of;
  Eigen::Index data = 0, all = 0;
};

struct Minimum {
  Eigen::VectorXd parameters;
  double cost = 0;  // half the sum of squares, with the large data residuals tempered
};

/// Levenberg-Marquardt from `start`, with a forward-difference Jacobian; at most `iterations`.
[[nodiscard]] Minimum least_squares(const Residuals& residuals, const Eigen::VectorXd& start,
                                    int iterations);

/// The standard deviation of each parameter at a minimum, from the curvature of the cost there.
[[nodiscard]] Eigen::VectorXd deviations_at(const Residuals& residuals,
                                            const Eigen::VectorXd& parameters);

}  // namespace afford
