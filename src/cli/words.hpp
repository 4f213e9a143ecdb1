#pragma once
// The words of a command line, one by one. The first two throw UsageError.

#include <filesystem>
#include <string>
#include <vector>

namespace afford::cli {

/// Words with control characters are no names of models, chips or files of ours, and what is not
/// UTF-8 cannot be said in JSON.
void require_words(const std::vector<std::string>& words);

/// "8k,32k" as two; commas divide, and nothing between two of them is no value.
[[nodiscard]] std::vector<std::string> divided(const std::vector<std::string>& given,
                                               const std::string& flag);

/// "-c,--context" is --context in messages.
[[nodiscard]] std::string flag_in_messages(const std::string& names);

/// The names a word may hold: between its commas, each whole and as the chip of a pool
/// ("own.yaml:2x8").
[[nodiscard]] std::vector<std::string> names_in_word(const std::string& word);
/// Rather than like an entry of models/ or hardware/.
[[nodiscard]] bool looks_like_file(const std::string& name);

/// One name for a file, however it is spelled.
[[nodiscard]] std::filesystem::path place_written(const std::string& file);

}  // namespace afford::cli
