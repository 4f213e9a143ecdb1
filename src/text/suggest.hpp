#pragma once
// "did you mean": the nearest of the valid names.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace afford {

/// Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`, ignoring case.
[[nodiscard]] int edit_distance(std::string_view a, std::string_view b);

/// The tail of an error message: "; did you mean 'x'?" when a name is near, or where `wrong`
/// shortens names or makes one longer ("; did you mean one of x-1, x-2?"), else "; expected one of
/// a, b, c" (all names when there are few), else nothing.
[[nodiscard]] std::string suggestion(std::string_view wrong, std::span<const std::string> valid);
[[nodiscard]] std::string suggestion(std::string_view wrong,
                                     std::span<const std::string_view> valid);

}  // namespace afford
