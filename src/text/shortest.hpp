#pragma once
// Numbers in the fewest digits that read back as the same number.

#include <string>

namespace afford {

/// Appends what fmt makes of "{}", in two thirds of the time: a search writes them by the million.
void append_shortest(std::string& out, double value);

}  // namespace afford
