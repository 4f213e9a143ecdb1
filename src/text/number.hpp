#pragma once
// Text to plain numbers, strictly: the whole text or nothing, no locale, no NaN, no infinity.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace afford {

[[nodiscard]] std::optional<std::int64_t> parse_integer(std::string_view text);
[[nodiscard]] std::optional<double> parse_real(std::string_view text);

/// A token count as users write it: `8192`, `8k` = 8192, `1m` = 1048576.
[[nodiscard]] std::optional<std::int64_t> parse_token_count(std::string_view text);

/// `8k`, or a range `4k..128k*2` (each twice the last) or `8k..32k+8k`. Throws UsageError.
[[nodiscard]] std::vector<std::int64_t> parse_token_counts(std::string_view text);

/// 8192 -> "8K", 1048576 -> "1M", 4989 -> "4989".
[[nodiscard]] std::string token_count_text(std::int64_t tokens);

}  // namespace afford
