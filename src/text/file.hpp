#pragma once
// Reading a whole file, and no more than is sane.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace afford {

/// The bytes of a regular file of at most `most` bytes; `what` names the kind of file in the
/// complaint. Throws InputError.
[[nodiscard]] std::string read_whole(const std::filesystem::path& path, size_t most,
                                     std::string_view what);

/// The names of what a folder holds, sorted. Throws InputError.
[[nodiscard]] std::vector<std::string> names_in(const std::filesystem::path& folder);

}  // namespace afford
