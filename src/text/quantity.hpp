#pragma once
// "4.8 TB/s" <-> ByteRate. The only place that knows how units are written.

#include <optional>
#include <string>
#include <string_view>

#include "units.hpp"

namespace afford {

/// Value in base units, or nothing with `why` set to the whole complaint
/// ("expected a bandwidth such as '4.8 TB/s', got '4800'").
template <Dimension D>
[[nodiscard]] std::optional<Quantity<D>> parse_quantity(std::string_view text, std::string& why);

/// Rounded for people, in the unit that keeps the number between 1 and 1000: "3.35 TB/s".
template <Dimension D>
[[nodiscard]] std::string human(Quantity<D> value);

}  // namespace afford
