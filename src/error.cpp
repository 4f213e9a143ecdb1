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
    : std::runtime_error(line_of(place, message)), line_(place.line) {}

UsageError::UsageError(const std::string& message) : std::runtime_error(message_line(message)) {}

}  // namespace afford
