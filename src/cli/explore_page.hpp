#pragma once
// The built page of afford explore, and what it is told at its start.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace afford::cli {

/// With the installed data; in a build tree beside the program. Throws UsageError where it is not
/// built.
[[nodiscard]] std::filesystem::path built_page();

/// The files that a command reads, by their names in it: as words, between commas, or as the chip
/// of a pool ("own.yaml:2x8").
[[nodiscard]] std::map<std::string, std::string> files_of(const std::vector<std::string>& command);

/// What the page reads at its start: a word each <p>, a file each <pre>.
[[nodiscard]] std::string start_of(const std::vector<std::string>& command,
                                   const std::map<std::string, std::string>& files);

}  // namespace afford::cli
