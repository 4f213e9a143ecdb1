#include "text/shortest.hpp"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

namespace afford {

void append_shortest(std::string& out, double value) {
  // Numbers of other sizes are written with an exponent.
  constexpr double least = 1e-4, beyond = 1e16;
  if (!(value >= least && value < beyond)) {
    fmt::format_to(std::back_inserter(out), "{}", value);
    return;
  }
  const auto decimal = fmt::detail::dragonbox::to_decimal(value);
  const fmt::format_int digits(decimal.significand);
  const auto count = static_cast<int>(digits.size());
  const int whole = count + decimal.exponent;  // digits before the point
  if (decimal.exponent >= 0) {
    out.append(digits.data(), digits.size()).append(static_cast<size_t>(decimal.exponent), '0');
  } else if (whole > 0) {
    const auto before = static_cast<size_t>(whole);
    out.append(digits.data(), before).append(1, '.');
    out.append(digits.data() + before, digits.size() - before);
  } else {
    out.append("0.").append(static_cast<size_t>(-whole), '0').append(digits.data(), digits.size());
  }
}

}  // namespace afford
