#include "cli/failure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "error.hpp"

namespace afford::cli {
namespace {

/// The flag a value is given by: its name with dashes, but for a few shorter ones.
std::string flag_of(const std::string& value) {
  constexpr std::pair<std::string_view, std::string_view> shorter[] = {
      {"chips", "--on"},
      {"drafts", "--mtp"},
      {"picture", "--plot"},
      {"table folder", "--tables"},
      {"tensor parallelism", "--tp"}};
  for (const auto& [name, flag] : shorter) {
    if (name == value) return std::string(flag);
  }
  std::string flag = "--" + value;
  std::replace(flag.begin(), flag.end(), ' ', '-');
  return flag;
}

}  // namespace

Failure failure_of(const std::exception& error) {
  // InputError starts with file:line:column, for editors.
  if (dynamic_cast<const InputError*>(&error) != nullptr) return {error.what(), exit_bad_input};
  const std::string start = "afford: ";
  if (const auto* value = dynamic_cast<const ValueError*>(&error))
    return {start + UsageError(flag_of(value->name()) + value->complaint()).what(), exit_bad_input};
  if (dynamic_cast<const UsageError*>(&error) != nullptr)
    return {start + error.what(), exit_bad_input};
  return {fmt::format("{}internal error: {}. This is a fault of afford (exit status {}), not of "
                      "what you gave it; please report it with the command line and its files",
                      start, error.what(), exit_internal),
          exit_internal};
}

}  // namespace afford::cli
