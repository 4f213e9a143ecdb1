#pragma once
// Dates as sources carry them, and times as logs do.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace afford {

/// 2025, 2025-07 or 2025-07-25, and such a day exists.
[[nodiscard]] bool is_date(std::string_view text);

/// A moment: whole seconds since 1970 in UTC, and the fraction of one. Apart, so that the
/// difference of two keeps its last digits.
struct Timestamp {
  std::int64_t seconds = 0;
  double fraction = 0;
};
/// "2023-11-16 18:17:03.9799600", with T instead of the space, without a fraction, in a time zone
/// (Z, +00:00, -0730), as they come; UTC where no zone is given. Nothing for what is no time.
[[nodiscard]] std::optional<Timestamp> parse_timestamp(std::string_view text);

/// As 2025-07-25, in UTC.
[[nodiscard]] std::string today();

}  // namespace afford
