#include "import/config.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "import/keys.hpp"
#include "text/number.hpp"
#include "text/suggest.hpp"

namespace afford::config {
namespace {

using Kind = json::Value::Kind;

constexpr std::string_view ignore = "ignore";
/// Where the language model's shapes stand in the config of a model that also sees or hears.
constexpr std::string_view language_parts[] = {"text_config", "language_config", "llm_config"};

const json::Value* member(const std::unordered_map<std::string_view, const json::Value*>& values,
                          std::string_view key) {
  const auto found = values.find(key);
  return found == values.end() ? nullptr : found->second;
}

/// A value off the command line: JSON where it is JSON, else a text.
json::Value parse_assumed(const std::string& key, const std::string& text) {
  const std::string file = "--assume " + key;
  json::Value value{.kind = Kind::null, .place = {file}, .text = {}, .items = {}, .members = {}};
  if (text == ignore) return value;
  try {
    json::Value wrapped = json::parse("{\"value\":" + text + "}", file);
    if (wrapped.members.size() == 1) value = std::move(wrapped.members.front().value);
  } catch (const InputError&) {
    value.kind = Kind::text;
    value.text = text;
  }
  value.place = {file};
  return value;
}

/// False, null and empty say that something is not there.
bool is_off(const json::Value& value) {
  return value.kind == Kind::null || (value.kind == Kind::boolean && value.text == "false") ||
         (value.kind == Kind::list && value.items.empty()) ||
         (value.kind == Kind::object && value.members.empty());
}

std::string shown(const json::Value& value) {
  if (value.kind == Kind::list && value.items.size() > 8) {
    return fmt::format("a list of {}", value.items.size());
  }
  if (value.kind == Kind::list) {
    std::string text = "[";
    for (const json::Value& item : value.items)
      text += (text.size() > 1 ? ", " : "") + json::describe(item);
    return text + "]";
  }
  return json::describe(value);
}

}  // namespace

Config::Level::Level(const json::Value& whole, std::string name)
    : object(&whole), path(std::move(name)) {
  for (const json::Member& each : whole.members) values.emplace(each.key, &each.value);
}

Config::Config(const json::Value& root, const Assumptions& assumptions)
    : file_(root.place.file), place_(root.place) {
  Level whole(root, "");
  for (const std::string_view part : language_parts) {
    const json::Value* inner = member(whole.values, part);
    if (inner == nullptr || inner->kind == Kind::null) continue;
    if (inner->kind != Kind::object) {
      throw InputError(inner->place,
                       fmt::format("{}: expected an object, got {}", part, json::describe(*inner)));
    }
    levels_.emplace_back(*inner, std::string(part) + ".");
    known_.insert(std::string(part));
    break;
  }
  levels_.push_back(std::move(whole));
  for (const auto& [key, text] : assumptions) assumed_.emplace(key, parse_assumed(key, text));
}

const json::Value* Config::look(std::string_view key) const {
  for (const Level& level : levels_) {
    const json::Value* value = member(level.values, key);
    if (value != nullptr && value->kind != Kind::null) return value;
  }
  return nullptr;
}

/// The root and the language part may both state a key, but not differently.
void Config::refuse_disagreement(std::string_view key) const {
  const json::Value* first = look(key);
  const json::Value* root = member(levels_.back().values, key);
  if (root == nullptr || root->kind == Kind::null || root == first || json::same(*first, *root))
    return;
  if (key == "model_type") return;
  throw InputError(root->place,
                   fmt::format("{}: {} here, {} in {} (line {}); say which with --assume {}=VALUE",
                               key, json::describe(*root), json::describe(*first),
                               levels_.front().path.substr(0, levels_.front().path.size() - 1),
                               first->place.line, key));
}

const json::Value* Config::find(std::string_view key) {
  known_.insert(std::string(key));
  const std::string path = prefix_ + std::string(key);
  if (const auto assumed = assumed_.find(path); assumed != assumed_.end()) {
    used_assumptions_.insert(path);
    note({.kind = KeyNote::Kind::assumed,
          .key = path,
          .value = shown(assumed->second),
          .why = "--assume"});
    return assumed->second.kind == Kind::null ? nullptr : &assumed->second;
  }
  const json::Value* value = look(key);
  if (value == nullptr) return nullptr;
  refuse_disagreement(key);
  if (value->kind != Kind::object)
    note({.kind = KeyNote::Kind::used, .key = path, .value = shown(*value), .why = ""});
  return value;
}

void Config::note(KeyNote note) {
  if (noted_.insert(note.key).second) notes_.push_back(std::move(note));
}

void Config::note_default(std::string_view key, const std::string& value, std::string_view why) {
  note({.kind = KeyNote::Kind::defaulted,
        .key = prefix_ + std::string(key),
        .value = value,
        .why = std::string(why)});
}

void Config::set_aside(std::string_view key) { (void)find(key); }

std::string_view Config::any(std::initializer_list<std::string_view> names) {
  std::string_view first;
  const json::Value* value = nullptr;
  for (const std::string_view name : names) {
    const json::Value* each = find(name);
    if (each == nullptr) continue;
    if (value == nullptr) {
      first = name;
      value = each;
    } else if (!json::same(*value, *each)) {
      fail(name, fmt::format("{}, but {} is {}; say which with --assume {}=VALUE",
                             json::describe(*each), first, json::describe(*value), name));
    }
  }
  return value == nullptr ? *names.begin() : first;
}

void Config::fail(std::string_view key, const std::string& complaint) {
  const json::Value* value = find(key);
  throw InputError(value == nullptr ? place_ : value->place,
                   fmt::format("{}{}: {}", prefix_, key, complaint));
}

const json::Value& Config::required(std::string_view key) {
  if (const json::Value* value = find(key)) return *value;
  throw InputError(
      place_,
      fmt::format("missing key '{0}{1}'; if you know it, --assume {0}{1}=VALUE", prefix_, key));
}

std::int64_t Config::integer(std::string_view key, yaml::Range range) {
  const json::Value& value = required(key);
  const auto number = value.kind == Kind::number ? parse_integer(value.text) : std::nullopt;
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
  if (value->kind != Kind::boolean) {
    fail(key, fmt::format("expected true or false, got {}", json::describe(*value)));
  }
  return value->text == "true";
}

std::string Config::text(std::string_view key) {
  const json::Value& value = required(key);
  if (value.kind != Kind::text)
    fail(key, fmt::format("expected a text, got {}", json::describe(value)));
  return value.text;
}

std::string Config::text_or(std::string_view key, std::string_view fallback) {
  return has(key) ? text(key) : std::string(fallback);
}

std::vector<std::string> Config::texts(std::string_view key) {
  const json::Value& value = required(key);
  if (value.kind != Kind::list)
    fail(key, fmt::format("expected a list, got {}", json::describe(value)));
  std::vector<std::string> result;
  for (const json::Value& item : value.items) {
    if (item.kind != Kind::text) {
      throw InputError(item.place, fmt::format("{}{}: expected a text, got {}", prefix_, key,
                                               json::describe(item)));
    }
    result.push_back(item.text);
  }
  return result;
}

std::vector<std::int64_t> Config::integers(std::string_view key, yaml::Range range) {
  const json::Value& value = required(key);
  if (value.kind != Kind::list)
    fail(key, fmt::format("expected a list, got {}", json::describe(value)));
  std::vector<std::int64_t> result;
  for (const json::Value& item : value.items) {
    const auto number = item.kind == Kind::number ? parse_integer(item.text) : std::nullopt;
    if (!number || *number < range.least || *number > range.most) {
      throw InputError(item.place,
                       fmt::format("{}{}: expected an integer from {} to {}, got {}", prefix_, key,
                                   range.least, range.most, json::describe(item)));
    }
    result.push_back(*number);
  }
  return result;
}

Config Config::object(std::string_view key) {
  const json::Value& value = required(key);
  if (value.kind != Kind::object)
    fail(key, fmt::format("expected an object, got {}", json::describe(value)));
  Config part;
  part.file_ = file_;
  part.prefix_ = prefix_ + std::string(key) + ".";
  part.place_ = value.place;
  part.levels_.emplace_back(value, "");
  part.assumed_ = assumed_;
  return part;
}

void Config::absorb(Config& part) {
  for (const Level& level : part.levels_) part.finish_level(level);
  for (KeyNote& each : part.notes_) note(std::move(each));
  used_assumptions_.merge(part.used_assumptions_);
}

void Config::finish_level(const Level& level) {
  const std::vector<std::string> names(known_.begin(), known_.end());
  for (const json::Member& each : level.object->members) {
    if (known_.contains(each.key)) continue;
    const std::string path = prefix_ + each.key;
    if (const auto assumed = assumed_.find(path); assumed != assumed_.end()) {
      used_assumptions_.insert(path);
      if (assumed->second.kind != Kind::null) {
        throw InputError(
            each.place,
            fmt::format("'{0}' is not understood, whatever its value; the only answer is "
                        "--assume {0}=ignore",
                        path));
      }
      note({.kind = KeyNote::Kind::assumed, .key = path, .value = "ignored", .why = "--assume"});
    } else if (does_not_matter(each.key)) {
      note({.kind = KeyNote::Kind::ignored, .key = path, .value = shown(each.value), .why = ""});
    } else if (may_matter(each.key) && !is_off(each.value)) {
      std::string hint = suggestion(each.key, names);
      const bool named = hint.find("did you mean") != std::string::npos;
      hint = named ? hint.append(" To") : "; to";
      throw InputError(each.place,
                       fmt::format("'{}' ({}) may change the count and is not understood{} count "
                                   "without it, --assume {}=ignore",
                                   path, shown(each.value), hint, path));
    } else {
      note({.kind = KeyNote::Kind::not_understood,
            .key = path,
            .value = shown(each.value),
            .why = ""});
    }
  }
}

void Config::finish() {
  for (const Level& level : levels_) finish_level(level);
  const std::vector<std::string> names(known_.begin(), known_.end());
  for (const auto& [key, value] : assumed_) {
    if (used_assumptions_.contains(key)) continue;
    throw UsageError(fmt::format("--assume: nothing asks for '{}' of this config{}", key,
                                 suggestion(key, names)));
  }
}

}  // namespace afford::config
