#include "cli/failure.hpp"

#include <fmt/format.h>

#include "error.hpp"

namespace afford::cli {

Failure failure_of(const std::exception& error) {
  // InputError starts with file:line:column, for editors.
  if (dynamic_cast<const InputError*>(&error) != nullptr) return {error.what(), exit_bad_input};
  const std::string start = "afford: ";
  if (dynamic_cast<const UsageError*>(&error) != nullptr)
    return {start + error.what(), exit_bad_input};
  return {fmt::format("{}internal error: {}. This is a fault of afford (exit status {}), not of "
                      "what you gave it; please report it with the command line and its files",
                      start, error.what(), exit_internal),
          exit_internal};
}

}  // namespace afford::cli
