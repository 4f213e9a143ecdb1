#pragma once
// The largest shapes a spec file may state: generous for any real model, small enough that no
// product of counts leaves the range where a double is exact to parts in a billion.

#include "text/range.hpp"

namespace afford::limits {

inline constexpr Range width{1, 1 << 20};  // hidden, intermediate, ranks
inline constexpr Range heads{1, 1 << 14};
inline constexpr Range head_dim{1, 1 << 14};
inline constexpr Range vocab{1, 1 << 24};
inline constexpr Range experts{1, 1 << 16};
inline constexpr Range layers{1, 1 << 12};
inline constexpr Range tokens{1, 1'000'000'000};
inline constexpr double held_params = 1e13;  // of a tower or a table, at most
inline constexpr Range conv_kernel{1, 64};
inline constexpr Range bus_width{1, 1 << 16};  // bits
inline constexpr Range devices{1, 1 << 12};    // NICs or accelerators of one server

}  // namespace afford::limits
