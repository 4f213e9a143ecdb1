#include "text/draws.hpp"

#include <algorithm>
#include <cmath>

namespace afford {
namespace {

__extension__ using Wide = unsigned __int128;

/// Few successes: from one to the next.
std::int64_t successes_one_by_one(RandomBits& bits, std::int64_t tries, double p) {
  std::int64_t successes = 0;
  for (std::int64_t left = tries; left > 0; ++successes) {
    const std::int64_t failures = draw_failures(bits, p, left);
    if (failures == left) break;
    left -= failures + 1;
  }
  return successes;
}

/// Transformed rejection with squeeze (W. Hoermann, "The generation of binomial random variates",
/// Journal of Statistical Computation and Simulation 46, 1993, algorithm BTRS), for p of at most a
/// half and ten successes or more in the mean.
std::int64_t successes_by_rejection(RandomBits& bits, std::int64_t tries, double p) {
  const double n = static_cast<double>(tries), deviation = std::sqrt(n * p * (1 - p));
  const double b = 1.15 + 2.53 * deviation, a = -0.0873 + 0.0248 * b + 0.01 * p;
  const double center = n * p + 0.5, squeeze = 0.92 - 4.2 / b, alpha = (2.83 + 5.1 / b) * deviation;
  const double mode = std::floor((n + 1) * p), odds = std::log(p / (1 - p));
  const auto log_ways = [n](double k) { return std::lgamma(k + 1) + std::lgamma(n - k + 1); };
  while (true) {
    const double u = draw_share(bits) - 0.5, v = draw_share(bits), edge = 0.5 - std::abs(u);
    const double k = std::floor((2 * a / edge + b) * u + center);
    if (edge >= 0.07 && v <= squeeze) return static_cast<std::int64_t>(k);
    if (!(k >= 0 && k <= n)) continue;
    const double height = std::log(v * alpha / (a / (edge * edge) + b));
    if (height <= log_ways(mode) - log_ways(k) + (k - mode) * odds)
      return static_cast<std::int64_t>(k);
  }
}

/// What a normal number exceeds with a chance of at most a half. A start within 4.5e-4 (Abramowitz
/// and Stegun, Handbook of Mathematical Functions, 26.2.23), then Newton's steps.
double exceeded_with(double chance) {
  constexpr int steps = 3;
  const double root_half = std::sqrt(0.5), density = 1 / std::sqrt(2 * std::acos(-1.0));
  const double t = std::sqrt(-2 * std::log(chance));
  double z = t - (2.515517 + t * (0.802853 + t * 0.010328)) /
                     (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
  for (int i = 0; i < steps; ++i)
    z += (std::erfc(z * root_half) / 2 - chance) / (density * std::exp(-z * z / 2));
  return z;
}

}  // namespace

double draw_share(RandomBits& bits) {
  return std::min(static_cast<double>(bits()) * 0x1p-64, 1 - 0x1p-53);
}

// Without a remainder's bias: D. Lemire, "Fast random integer generation in an interval", ACM
// Transactions on Modeling and Computer Simulation 29, 2019.
std::int64_t draw_whole(RandomBits& bits, std::int64_t least, std::int64_t most) {
  const std::uint64_t numbers =
      static_cast<std::uint64_t>(most) - static_cast<std::uint64_t>(least) + 1;
  const std::uint64_t uneven = (0 - numbers) % numbers;
  Wide product = Wide{bits()} * numbers;
  while (static_cast<std::uint64_t>(product) < uneven) product = Wide{bits()} * numbers;
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(least) +
                                   static_cast<std::uint64_t>(product >> 64));
}

// All of them are below z with the chance P(z)^of; the draw is that chance, never 0 or 1.
double draw_largest_normal(RandomBits& bits, std::int64_t of) {
  const double log_below = std::log(draw_share(bits) + 0x1p-54) / static_cast<double>(of);
  const double above = -std::expm1(log_below);
  return above <= 0.5 ? exceeded_with(above) : -exceeded_with(std::exp(log_below));
}

double draw_gap(RandomBits& bits, double rate) { return -std::log(1 - draw_share(bits)) / rate; }

std::int64_t draw_failures(RandomBits& bits, double p, std::int64_t most) {
  const double log_failure = std::log(1 - p);
  if (log_failure == 0) return most;  // rarer than a double tells
  const double failures = std::floor(std::log(1 - draw_share(bits)) / log_failure);
  return failures < static_cast<double>(most) ? static_cast<std::int64_t>(failures) : most;
}

// G. Marsaglia's polar method.
std::pair<double, double> draw_normals(RandomBits& bits) {
  double x = 0, y = 0, square = 0;
  do {
    x = 2 * draw_share(bits) - 1;
    y = 2 * draw_share(bits) - 1;
    square = x * x + y * y;
  } while (square > 1 || square == 0);
  const double scale = std::sqrt(-2 * std::log(square) / square);
  return {y * scale, x * scale};
}

std::int64_t draw_successes(RandomBits& bits, std::int64_t tries, double p) {
  if (p <= 0) return 0;
  if (p > 0.5) return tries - draw_successes(bits, tries, 1 - p);
  constexpr double few = 10;
  return static_cast<double>(tries) * p < few ? successes_one_by_one(bits, tries, p)
                                              : successes_by_rejection(bits, tries, p);
}

}  // namespace afford
