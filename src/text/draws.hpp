#pragma once
// Random numbers that are the same wherever they are drawn. The standard fixes the bits of its
// engines, but not what its distributions make of them: each library's differ.

#include <cstdint>
#include <random>
#include <utility>

namespace afford {

using RandomBits = std::mt19937_64;

/// From 0 to below 1.
[[nodiscard]] double draw_share(RandomBits& bits);

/// A whole number from `least` to `most`, each as likely.
[[nodiscard]] std::int64_t draw_whole(RandomBits& bits, std::int64_t least, std::int64_t most);

/// The time to the next of events that come at `rate`, each independent of the others.
[[nodiscard]] double draw_gap(RandomBits& bits, double rate);

/// Failures before the first success of chance `p`, at most `most`.
[[nodiscard]] std::int64_t draw_failures(RandomBits& bits, double p, std::int64_t most);

/// Two of mean 0 and deviation 1, independent of each other.
[[nodiscard]] std::pair<double, double> draw_normals(RandomBits& bits);

/// The largest of `of` such, in one draw.
[[nodiscard]] double draw_largest_normal(RandomBits& bits, std::int64_t of);

/// Successes among `tries` of chance `p`.
[[nodiscard]] std::int64_t draw_successes(RandomBits& bits, std::int64_t tries, double p);

}  // namespace afford
