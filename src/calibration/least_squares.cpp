#include "calibration/least_squares.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

namespace afford {
namespace {

constexpr double huber = 1.5;  // standard deviations up to which a residual counts in full

double cost_of(const Residuals& problem, const Eigen::VectorXd& r) {
  double cost = 0;
  for (Eigen::Index i = 0; i < r.size(); ++i) {
    const double size = std::fabs(r[i]);
    cost += i < problem.data && size > huber ? huber * (size - huber / 2) : size * size / 2;
  }
  return cost;
}

Eigen::VectorXd weights_of(const Residuals& problem, const Eigen::VectorXd& r) {
  Eigen::VectorXd weights = Eigen::VectorXd::Ones(r.size());
  for (Eigen::Index i = 0; i < problem.data; ++i)
    weights[i] = std::min(1.0, huber / std::max(huber, std::fabs(r[i])));
  return weights;
}

Eigen::MatrixXd jacobian(const Residuals& problem, const Eigen::VectorXd& at,
                         const Eigen::VectorXd& r) {
  constexpr double step = 1e-6;
  Eigen::MatrixXd j(r.size(), at.size());
  Eigen::VectorXd moved(r.size()), parameters = at;
  for (Eigen::Index p = 0; p < at.size(); ++p) {
    parameters[p] = at[p] + step;
    problem.of(parameters, moved);
    parameters[p] = at[p];
    j.col(p) = (moved - r) / step;
  }
  return j;
}

}  // namespace

Minimum least_squares(const Residuals& problem, const Eigen::VectorXd& start, int iterations) {
  Eigen::VectorXd at = start, r(problem.all), trial_r(problem.all);
  problem.of(at, r);
  double cost = cost_of(problem, r), damping = 1e-3;
  for (int iteration = 0; iteration < iterations; ++iteration) {
    const Eigen::MatrixXd j = jacobian(problem, at, r);
    const Eigen::VectorXd weights = weights_of(problem, r);
    const Eigen::MatrixXd normal = j.transpose() * weights.asDiagonal() * j;
    const Eigen::VectorXd gradient = j.transpose() * (weights.asDiagonal() * r);
    const double before = cost;
    for (int attempt = 0; attempt < 8; ++attempt) {
      Eigen::MatrixXd damped = normal;
      damped.diagonal() += damping * (normal.diagonal().array() + 1e-9).matrix();
      const Eigen::VectorXd trial = at - damped.ldlt().solve(gradient);
      problem.of(trial, trial_r);
      const double trial_cost = cost_of(problem, trial_r);
      if (std::isfinite(trial_cost) && trial_cost < cost) {
        at = trial, r = trial_r, cost = trial_cost, damping = std::max(1e-9, damping / 5);
        break;
      }
      damping *= 5;
    }
    if (before - cost <= 1e-7 * (before + 1e-12)) break;
  }
  return {at, cost};
}

Eigen::VectorXd deviations_at(const Residuals& problem, const Eigen::VectorXd& parameters) {
  Eigen::VectorXd r(problem.all);
  problem.of(parameters, r);
  const Eigen::MatrixXd j = jacobian(problem, parameters, r);
  const Eigen::MatrixXd normal = j.transpose() * weights_of(problem, r).asDiagonal() * j;
  const Eigen::MatrixXd identity = Eigen::MatrixXd::Identity(normal.rows(), normal.cols());
  return normal.ldlt().solve(identity).diagonal().cwiseMax(0).cwiseSqrt();
}

}  // namespace afford
