#pragma once
// Dates as sources carry them.

#include <string>
#include <string_view>

namespace afford {

/// 2025, 2025-07 or 2025-07-25, and such a day exists.
[[nodiscard]] bool is_date(std::string_view text);

/// As 2025-07-25, in UTC.
[[nodiscard]] std::string today();

}  // namespace afford
