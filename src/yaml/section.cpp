#include "yaml/section.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "text/name.hpp"
#include "text/number.hpp"
#include "text/suggest.hpp"

namespace afford::yaml {

Section::Section(const std::string& file, const Node& node, std::string name, std::string prefix,
                 std::span<const std::string_view> allowed)
    : file_(file), node_(node), name_(std::move(name)), prefix_(std::move(prefix)) {
  if (node.kind != Node::Kind::mapping) {
    throw InputError(place(),
                     fmt::format("{}: expected a mapping of keys, got {}", name_, describe(node)));
  }
  refuse_duplicates();
  if (std::empty(allowed)) return;
  for (const Node& key : node.keys) {
    if (std::find(allowed.begin(), allowed.end(), key.text) != allowed.end()) continue;
    throw InputError({file_, key.line, key.column},
                     fmt::format("unknown key {} in '{}'{}", describe(key), name_,
                                 suggestion(key.text, allowed)));
  }
}

void Section::refuse_duplicates() const {
  for (size_t i = 0; i < node_.keys.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const Node &key = node_.keys[i], &first = node_.keys[j];
      if (key.text != first.text) continue;
      throw InputError({file_, key.line, key.column},
                       fmt::format("duplicate key {} in '{}' (first at line {})", describe(key),
                                   name_, first.line));
    }
  }
}

std::vector<std::string> Section::keys() const {
  std::vector<std::string> result;
  for (const Node& key : node_.keys) result.push_back(key.text);
  return result;
}

Place Section::place(std::string_view key) const {
  const Node* node = find(key);
  return node == nullptr ? place() : Place{file_, node->line, node->column};
}

const Node* Section::find(std::string_view key) const {
  for (size_t i = 0; i < node_.keys.size(); ++i) {
    if (node_.keys[i].text == key) return &node_.items[i];
  }
  return nullptr;
}

const Node& Section::required(std::string_view key) const {
  if (const Node* node = find(key)) return *node;
  throw InputError(place(), fmt::format("missing key '{}' in '{}'", key, name_));
}

const Node& Section::scalar(std::string_view key) const { return value(key, Node::Kind::scalar); }

const Node& Section::value(std::string_view key, Node::Kind kind) const {
  const Node& node = required(key);
  if (node.kind == kind) return node;
  const char* expected = kind == Node::Kind::scalar     ? "a single value"
                         : kind == Node::Kind::sequence ? "a list"
                                                        : "a mapping of keys";
  fail(key, fmt::format("expected {}, got {}", expected, describe(node)));
}

void Section::fail(std::string_view key, const std::string& complaint) const {
  throw InputError(place(key), fmt::format("{}{}: {}", prefix_, key, complaint));
}

void Section::fail_choice(std::string_view key, const std::string& text,
                          std::span<const std::string_view> names) const {
  fail(key, fmt::format("unknown value '{}'{}", text, suggestion(text, names)));
}

std::string Section::text(std::string_view key) const {
  const Node& node = scalar(key);
  if (node.text.empty()) fail(key, "expected a text, got an empty one");
  return node.text;
}

std::string Section::name(std::string_view key) const {
  const Node& node = scalar(key);
  if (!is_name(node.text))
    fail(key, fmt::format("{}, got {}", name_expected(node.text), describe(node)));
  return node.text;
}

std::int64_t Section::integer(std::string_view key, Range range) const {
  const Node& node = scalar(key);
  const auto value = parse_integer(node.text);
  if (!value || *value < range.least || *value > range.most) {
    fail(key, fmt::format("expected an integer from {} to {}, got {}", range.least, range.most,
                          describe(node)));
  }
  return *value;
}

double Section::real(std::string_view key, double least, double most) const {
  const Node& node = scalar(key);
  const auto value = parse_real(node.text);
  if (!value || *value < least || *value > most) {
    fail(key, fmt::format("expected a number from {} to {}, got {}", least, most, describe(node)));
  }
  return *value;
}

bool Section::boolean(std::string_view key) const {
  const Node& node = scalar(key);
  if (node.text == "true") return true;
  if (node.text == "false") return false;
  fail(key, fmt::format("expected true or false, got {}", describe(node)));
}

std::vector<std::string> Section::texts(std::string_view key) const {
  std::vector<std::string> result;
  for (const Node& item : value(key, Node::Kind::sequence).items) {
    if (item.kind != Node::Kind::scalar) {
      throw InputError(
          {file_, item.line, item.column},
          fmt::format("{}{}: expected a single value, got {}", prefix_, key, describe(item)));
    }
    result.push_back(item.text);
  }
  return result;
}

std::vector<double> Section::reals(std::string_view key, double least, double most) const {
  std::vector<double> result;
  for (const Node& item : value(key, Node::Kind::sequence).items) {
    const auto number = item.kind == Node::Kind::scalar ? parse_real(item.text) : std::nullopt;
    if (!number || *number < least || *number > most) {
      throw InputError({file_, item.line, item.column},
                       fmt::format("{}{}: expected a number from {} to {}, got {}", prefix_, key,
                                   least, most, describe(item)));
    }
    result.push_back(*number);
  }
  return result;
}

Section Section::child(std::string_view key, std::span<const std::string_view> allowed) const {
  return element(key, value(key, Node::Kind::mapping), allowed);
}

Section Section::element(std::string_view key, const Node& item,
                         std::span<const std::string_view> allowed) const {
  const std::string path = fmt::format("{}{}", prefix_, key);
  return {file_, item, path, path + ".", allowed};
}

Section Section::names(std::string_view key) const {
  return child(key, std::span<const std::string_view>());
}

}  // namespace afford::yaml
