#pragma once
// A JSON file as a plain tree that knows where each value and key stands. Size, depth and the
// number of values are bounded, duplicate keys refused.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "error.hpp"

namespace afford::json {

struct Member;

struct Value {
  enum class Kind { null, boolean, number, text, list, object };
  Kind kind = Kind::null;
  Place place;
  std::string text;  // of a text; of a number or boolean as it is written
  std::vector<Value> items;
  std::vector<Member> members;  // in the order of the file
};

struct Member {
  std::string key;
  Place place;  // of the key
  Value value;
};

/// The value of an object's member; null where there is none of that key.
[[nodiscard]] const Value* member(const Value& object, std::string_view key);

/// How a message names the value: "a list", "an object", "null", "12", "'text'".
[[nodiscard]] std::string describe(const Value& value);

/// Whether two values say the same.
[[nodiscard]] bool same(const Value& a, const Value& b);

/// The root object of `text`. `file` and the line the text starts at are only for messages. Throws
/// InputError.
[[nodiscard]] Value parse(std::string_view text, const std::string& file, int first_line = 1);

/// Reads and parses a regular file of at most 8 MiB. Throws InputError.
[[nodiscard]] Value parse_file(const std::filesystem::path& path);

}  // namespace afford::json
