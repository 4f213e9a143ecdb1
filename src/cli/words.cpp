#include "cli/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <system_error>

#include "error.hpp"
#include "text/utf8.hpp"

namespace afford::cli {

void require_words(const std::vector<std::string>& words) {
  for (const std::string_view word : words) {
    for (size_t at = 0; at < word.size();) {
      const Character c = first_character(word.substr(at));
      if (c.bytes == 0 || is_control(c.code))
        throw UsageError(
            fmt::format("expected words of UTF-8 text without control characters, got '{}'", word));
      at += c.bytes;
    }
  }
}

std::vector<std::string> divided(const std::vector<std::string>& given, const std::string& flag) {
  std::vector<std::string> values;
  for (const std::string& text : given) {
    for (size_t at = 0; at <= text.size();) {
      const size_t comma = std::min(text.find(',', at), text.size());
      values.push_back(text.substr(at, comma - at));
      if (values.back().empty())
        throw UsageError(
            fmt::format("{}: expected values with commas between, got '{}'", flag, text));
      at = comma + 1;
    }
  }
  return values;
}

std::string flag_in_messages(const std::string& names) {
  return names.substr(names.find_last_of(',') + 1);
}

std::vector<std::string> names_in_word(const std::string& word) {
  std::vector<std::string> names;
  for (size_t at = 0; at <= word.size();) {
    const size_t comma = std::min(word.find(',', at), word.size());
    names.push_back(word.substr(at, comma - at));
    const std::string& part = names.back();
    if (const size_t colon = part.rfind(':'); colon != std::string::npos)
      names.push_back(part.substr(0, colon));
    at = comma + 1;
  }
  return names;
}

bool looks_like_file(const std::string& name) {
  return name.find_first_of("./") != std::string::npos;
}

std::filesystem::path place_written(const std::string& file) {
  std::error_code unknown;
  const std::filesystem::path place =
      std::filesystem::weakly_canonical(std::filesystem::absolute(file), unknown);
  return unknown ? std::filesystem::path(file) : place;
}

}  // namespace afford::cli
