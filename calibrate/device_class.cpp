#include "device_class.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

namespace afford::calibrate {
namespace {

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

bool is_size_or_memory(const std::string& word) {
  return word.ends_with("gb") || word.starts_with("hbm") || word == "sxm" || word == "sxm5";
}

}  // namespace

std::string device_class(std::string_view driver_name, double memory_bytes) {
  std::string name;
  for (const std::string& word : words_of(driver_name)) {
    if (word == "nvidia" || is_size_or_memory(word)) continue;
    name += (name.empty() ? "" : "-") + word;
  }
  constexpr double h20_bytes = 120e9;  // the first H20 has 96 GB, the later one 141
  if (name == "h20" && memory_bytes > h20_bytes) name += "-3e";
  return name.empty() ? "gpu" : name;
}

}  // namespace afford::calibrate
