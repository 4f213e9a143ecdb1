#include "error.hpp"

#include <fmt/format.h>

#include "text/escape.hpp"

namespace afford {
namespace {

std::string line_of(const Place& place, const std::string& message) {
  const std::string file = message_line(place.file), text = message_line(message);
  if (place.line <= 0) return fmt::format("{}: {}", file, text);
  return fmt::format("{}:{}:{}: {}", file, place.line, place.column, text);
}

}  // namespace

InputError::InputError(const Place& place, const std::string& message)
    : std::runtime_error(line_of(place, message)), of_content_(place.line > 0) {}

InputError::InputError(const Place& named_at, const InputError& cause)
    : std::runtime_error(line_of(named_at, cause.what())), of_content_(cause.of_content_) {}

UsageError::UsageError(const std::string& message) : std::runtime_error(message_line(message)) {}

}  // namespace afford
