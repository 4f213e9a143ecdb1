#pragma once
// The events of a YAML text, one after another: libyaml's parser, whose faults become ours.

#include <yaml.h>

#include <string>
#include <string_view>

#include "error.hpp"

namespace afford::yaml {

/// Where a mark of the parser stands; it counts from zero.
[[nodiscard]] inline int line_of(const yaml_mark_t& mark) {
  return static_cast<int>(mark.line) + 1;
}
[[nodiscard]] inline int column_of(const yaml_mark_t& mark) {
  return static_cast<int>(mark.column) + 1;
}
[[nodiscard]] inline Place place_at(const std::string& file, const yaml_mark_t& mark) {
  return {file, line_of(mark), column_of(mark)};
}

class Events {
 public:
  /// `text`, UTF-8, and `file`, which is only for messages, must outlive it.
  Events(std::string_view text, const std::string& file);
  ~Events();
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  /// The next event, which stands until the one after it is asked for. Throws InputError for what
  /// is not YAML.
  [[nodiscard]] const yaml_event_t& next();

 private:
  [[noreturn]] void fail() const;

  std::string_view text_;
  const std::string& file_;
  yaml_parser_t parser_{};
  yaml_event_t event_{};
};

}  // namespace afford::yaml
