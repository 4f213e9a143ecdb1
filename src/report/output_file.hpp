#pragma once
// Files that appear whole or not at all.

#include <filesystem>
#include <string_view>

namespace afford {

/// A name beside `path` for a file under construction.
[[nodiscard]] std::filesystem::path temporary_beside(const std::filesystem::path& path);

/// Writes beside `path`, then renames. A device such as /dev/null is written straight. Throws UsageError.
void write_whole(const std::filesystem::path& path, std::string_view content);

/// Moves a finished temporary to its place, or removes it and throws UsageError.
void put_in_place(const std::filesystem::path& temporary, const std::filesystem::path& path);

}  // namespace afford
