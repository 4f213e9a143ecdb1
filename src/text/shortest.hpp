#pragma once
// Numbers in the fewest digits that read back as the same number.

#include <cstddef>
#include <string>

namespace afford {

/// The room that write_shortest() needs.
inline constexpr size_t longest_shortest = 40;

/// Writes what fmt makes of "{}", in half the time: a search writes them by the million. Returns
/// the end; what stands behind it is rubbish.
[[nodiscard]] char* write_shortest(char* to, double value);

void append_shortest(std::string& out, double value);

}  // namespace afford
