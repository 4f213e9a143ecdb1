// Values of a config by type, with what was expected and what was found where they are none.
#include <fmt/format.h>

#include <algorithm>

#include "import/config.hpp"
#include "text/number.hpp"

namespace afford::config {

/// A list that says the same for every layer is that number (Hunyuan, Gemma 3n).
std::int64_t Config::integer(std::string_view key, yaml::Range range) {
  const json::Value& whole = required(key);
  const bool same_all =
      whole.kind == json::Value::Kind::list && !whole.items.empty() &&
      std::all_of(whole.items.begin(), whole.items.end(),
                  [&](const json::Value& item) { return json::same(item, whole.items.front()); });
  const json::Value& value = same_all ? whole.items.front() : whole;
  const auto number =
      value.kind == json::Value::Kind::number ? parse_integer(value.text) : std::nullopt;
  if (!number || *number < range.least || *number > range.most) {
    fail(key, fmt::format("expected an integer from {} to {}, got {}", range.least, range.most,
                          json::describe(value)));
  }
  return *number;
}

std::int64_t Config::integer_or(std::string_view key, yaml::Range range, std::int64_t fallback,
                                std::string_view why) {
  if (has(key)) return integer(key, range);
  note_default(key, fmt::format("{}", fallback), why);
  return fallback;
}

bool Config::flag(std::string_view key, bool fallback, std::string_view why) {
  const json::Value* value = find(key);
  if (value == nullptr) {
    note_default(key, fallback ? "true" : "false", why);
    return fallback;
  }
  if (value->kind != json::Value::Kind::boolean) {
    fail(key, fmt::format("expected true or false, got {}", json::describe(*value)));
  }
  return value->text == "true";
}

std::string Config::text(std::string_view key) {
  const json::Value& value = required(key);
  if (value.kind != json::Value::Kind::text)
    fail(key, fmt::format("expected a text, got {}", json::describe(value)));
  return value.text;
}

std::string Config::text_or(std::string_view key, std::string_view fallback) {
  return has(key) ? text(key) : std::string(fallback);
}

std::vector<std::string> Config::texts(std::string_view key) {
  const json::Value& value = required(key);
  if (value.kind != json::Value::Kind::list)
    fail(key, fmt::format("expected a list, got {}", json::describe(value)));
  std::vector<std::string> result;
  for (const json::Value& item : value.items) {
    if (item.kind != json::Value::Kind::text) {
      throw InputError(item.place, fmt::format("{}{}: expected a text, got {}", prefix_, key,
                                               json::describe(item)));
    }
    result.push_back(item.text);
  }
  return result;
}

std::vector<std::int64_t> Config::integers(std::string_view key, yaml::Range range) {
  const json::Value& value = required(key);
  if (value.kind != json::Value::Kind::list)
    fail(key, fmt::format("expected a list, got {}", json::describe(value)));
  std::vector<std::int64_t> result;
  for (const json::Value& item : value.items) {
    const auto number =
        item.kind == json::Value::Kind::number ? parse_integer(item.text) : std::nullopt;
    if (!number || *number < range.least || *number > range.most) {
      throw InputError(item.place,
                       fmt::format("{}{}: expected an integer from {} to {}, got {}", prefix_, key,
                                   range.least, range.most, json::describe(item)));
    }
    result.push_back(*number);
  }
  return result;
}

}  // namespace afford::config
