#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "error.hpp"
#include "text/suggest.hpp"

namespace afford::cli {

/// A name out of `names`, or a UsageError that says what `flag` expects.
template <class T, size_t N>
[[nodiscard]] T choose(const std::pair<std::string_view, T> (&names)[N], const std::string& text,
                       std::string_view flag) {
  std::vector<std::string_view> valid;
  for (const auto& [name, value] : names) {
    if (name == text) return value;
    valid.push_back(name);
  }
  throw UsageError(fmt::format("{}: unknown value '{}'{}", flag, text, suggestion(text, valid)));
}

}  // namespace afford::cli
