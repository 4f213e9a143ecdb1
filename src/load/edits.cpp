#include "load/edits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "error.hpp"
#include "text/number.hpp"
#include "text/quantity.hpp"
#include "text/suggest.hpp"

namespace afford {
namespace {

using yaml::Node;

[[noreturn]] void refuse(const Edit& edit, const std::string& complaint) {
  throw ValueError(edit.flag(), fmt::format(": {} {}", edit.name(), complaint));
}

/// Keys that describe a value, or an entry, and are none of its numbers.
bool is_physical(std::string_view key) {
  constexpr auto others = std::to_array<std::string_view>(
      {"schema", "name", "title", "aliases", "sources", "source", "estimate", "notes", "published",
       "kind", "base", "max_context"});
  return std::find(others.begin(), others.end(), key) == others.end();
}

Node* child_of(Node& mapping, std::string_view key) {
  for (size_t i = 0; i < mapping.keys.size(); ++i) {
    if (mapping.keys[i].text == key) return &mapping.items[i];
  }
  return nullptr;
}

/// {value: 80 GB, source: sheet} is its value.
Node* value_of(Node& node) {
  if (node.kind == Node::Kind::scalar) return &node;
  Node* value = node.kind == Node::Kind::mapping ? child_of(node, "value") : nullptr;
  return value != nullptr && value->kind == Node::Kind::scalar ? value : nullptr;
}

/// The value at `path`, or null. Names that users choose may have dots: the longest key counts.
Node* find(Node& node, std::string_view path) {
  if (path.empty()) return value_of(node);
  if (node.kind != Node::Kind::mapping) return nullptr;
  for (size_t end = path.size(); end != 0 && end != std::string_view::npos;
       end = path.rfind('.', end - 1)) {
    const std::string_view key = path.substr(0, end);
    Node* child = is_physical(key) ? child_of(node, key) : nullptr;
    if (child != nullptr && end + 1 != path.size())  // no path ends in a dot
      return find(*child, path.substr(std::min(end + 1, path.size())));
  }
  return nullptr;
}

void add_paths(Node& node, const std::string& prefix, std::vector<std::string>& paths) {
  if (!prefix.empty() && value_of(node) != nullptr) return paths.push_back(prefix);
  if (node.kind != Node::Kind::mapping) return;
  for (size_t i = 0; i < node.keys.size(); ++i) {
    const std::string& key = node.keys[i].text;
    if (is_physical(key))
      add_paths(node.items[i], prefix.empty() ? key : prefix + "." + key, paths);
  }
}

[[noreturn]] void refuse_path(const Edit& edit, const std::vector<std::string>& paths) {
  std::vector<std::string> whole;
  for (const std::string& path : paths) whole.push_back(edit.entry + "." + path);
  refuse(edit, "is no value that can be set" + suggestion(edit.name(), whole));
}

/// What an engine's number is set to.
struct SetParameter {
  Engine& engine;
  const EngineParameter& parameter;
  const Edit& edit;

  void operator()(EngineParameter::Number at) const {
    const auto number = parse_real(edit.value);
    if (!number || *number < parameter.least || *number > parameter.most) {
      refuse(edit, fmt::format("expects a number from {} to {}, got '{}'", parameter.least,
                               parameter.most, edit.value));
    }
    if (parameter.whole && *number != std::floor(*number))
      refuse(edit, fmt::format("expects a whole number, got '{}'", edit.value));
    change(at(engine), *number);
  }
  template <Dimension dimension>
  void operator()(Quantity<dimension>& (*at)(Engine&)) const {
    std::string why;
    const auto given = parse_quantity<dimension>(edit.value, why);
    if (!given) refuse(edit, ": " + why);
    if (given->base() < parameter.least || given->base() > parameter.most) {
      const std::string_view unit = base_unit(parameter);
      refuse(edit,
             fmt::format("expects a {} from {} to {} {}, got '{}'", unit == "s" ? "time" : "size",
                         parameter.least, parameter.most, unit, edit.value));
    }
    change(at(engine), *given);
  }
  void operator()(EngineParameter::Flag at) const {
    if (edit.value != "true" && edit.value != "false")
      refuse(edit, fmt::format("expects true or false, got '{}'", edit.value));
    change(at(engine), edit.value == "true");
  }

  template <class T>
  void change(T& value, T to) const {
    if (value == to && !edit.may_keep) refuse(edit, fmt::format("is {} already", edit.value));
    value = to;
  }
};

}  // namespace

Edits edits_of(const Edits& edits, std::string_view entry) {
  Edits out;
  std::copy_if(edits.begin(), edits.end(), std::back_inserter(out),
               [&](const Edit& edit) { return edit.entry == entry; });
  return out;
}

std::vector<std::string> settable_paths(const Node& root) {
  std::vector<std::string> paths;
  Node copy = root;
  add_paths(copy, "", paths);
  return paths;
}

void apply_edits(Node& root, const Edits& edits) {
  for (const Edit& edit : edits) {
    Node* value = find(root, edit.path);
    if (value == nullptr) refuse_path(edit, settable_paths(root));
    if (value->text == edit.value && !edit.may_keep)
      refuse(edit, fmt::format("is {} already", edit.value));
    value->text = edit.value;
  }
}

void apply_edits(Engine& engine, const Edits& edits) {
  const auto parameters = engine_parameters();
  const auto path_of = [](const EngineParameter& p) {
    return fmt::format("{}.{}", p.section, p.key);
  };
  for (const Edit& edit : edits) {
    const auto found =
        std::find_if(parameters.begin(), parameters.end(),
                     [&](const EngineParameter& p) { return path_of(p) == edit.path; });
    if (found == parameters.end()) {
      std::vector<std::string> paths;
      for (const EngineParameter& p : parameters) paths.push_back(path_of(p));
      refuse_path(edit, paths);
    }
    std::visit(SetParameter{engine, *found, edit}, found->at);
    const auto index = static_cast<size_t>(found - parameters.begin());
    if (index < engine.citations.size()) engine.citations[index] = "--set";
  }
}

}  // namespace afford
