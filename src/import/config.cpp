#include "import/config.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace afford::config {
namespace {

using Kind = json::Value::Kind;

constexpr std::string_view ignore = "ignore";
/// Where the language model's shapes stand in the config of a model that also sees or hears.
constexpr std::string_view language_parts[] = {"text_config", "language_config", "llm_config",
                                               "thinker_config"};

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

}  // namespace

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

Config::Level::Level(const json::Value& whole, std::string name)
    : object(&whole), path(std::move(name)) {
  for (const json::Member& each : whole.members) values.emplace(each.key, &each.value);
}

Config::Config(const json::Value& root, const Assumptions& assumptions)
    : file_(root.place.file), place_(root.place) {
  const json::Value* object = &root;
  std::string path;
  std::vector<Level> outer;
  for (bool deeper = true; deeper;) {  // thinker_config.text_config
    Level level(*object, path);
    deeper = false;
    for (const std::string_view part : language_parts) {
      const json::Value* inner = member(level.values, part);
      if (inner == nullptr || inner->kind == Kind::null) continue;
      if (inner->kind != Kind::object) {
        throw InputError(inner->place, fmt::format("{}: expected an object, got {}", part,
                                                   json::describe(*inner)));
      }
      path += std::string(part) + ".";
      known_.insert(std::string(part));
      object = inner;
      deeper = true;
      break;
    }
    levels_.insert(levels_.begin(), std::move(level));
  }
  for (size_t i = 1; i < levels_.size(); ++i) levels_[i].beside = true;
  add_parts();
  for (const auto& [key, text] : assumptions) assumed_.emplace(key, parse_assumed(key, text));
}

/// DBRX keeps its attention's and its FFN's keys in objects of their own.
void Config::add_parts() {
  const Level& model = levels_.front();
  std::vector<Level> parts;
  for (const std::string_view part : {"attn_config", "ffn_config"}) {
    const json::Value* inner = member(model.values, part);
    if (inner == nullptr || inner->kind != Kind::object) continue;
    known_.insert(std::string(part));
    parts.emplace_back(*inner, std::string(part) + ".");
  }
  levels_.insert(levels_.begin() + 1, parts.begin(), parts.end());
}

void Config::fill_in(const std::vector<Default>& defaults) {
  for (const Default& each : defaults) {
    json::Value value = parse_assumed(std::string(each.key), std::string(each.value));
    value.place = place_;  // where the file leaves it out
    defaults_.try_emplace(std::string(each.key),
                          Filled{std::move(value), each.everywhere,
                                 fmt::format("the default of {}", each.model_type)});
  }
}

void Config::rename(const std::vector<KeyName>& names) {
  for (const KeyName& each : names) renamed_.try_emplace(each.ours, each.theirs);
}

std::string_view Config::spelled(std::string_view key) const {
  const auto found = renamed_.find(key);
  return found == renamed_.end() ? key : found->second;
}

const json::Value* Config::default_of(std::string_view key, bool everywhere) {
  const auto found = defaults_.find(key);
  if (found == defaults_.end() || found->second.everywhere != everywhere) return nullptr;
  note_default(key, shown(found->second.value), found->second.why);
  return &found->second.value;
}

bool Config::overridden(std::string_view key) const {
  return overrides_ != nullptr && json::member(*overrides_, key) != nullptr;
}

/// A text_config without the key means its class's default, whatever the root says of it. An
/// override to null takes the key away.
const json::Value* Config::look(std::string_view key) {
  if (overridden(key)) {
    const json::Value* own = json::member(*overrides_, key);
    return own->kind == Kind::null ? nullptr : own;
  }
  for (const Level& level : levels_) {
    const auto found = level.values.find(key);
    if (found != level.values.end() && found->second->kind != Kind::null) return found->second;
    const bool innermost = &level == &levels_.front();
    if (!innermost || !nested() || found != level.values.end()) continue;
    if (const json::Value* value = default_of(key, false)) return value;
  }
  return default_of(key, true);
}

/// What the root says, where it says something else.
std::string Config::overruled(std::string_view key, const json::Value& used) const {
  if (key == "model_type") return "";  // the root has one of its own
  const json::Value* root = nested() ? member(levels_.back().values, key) : nullptr;
  if (root == nullptr || root->kind == Kind::null || root == &used || json::same(used, *root))
    return "";
  return root->kind == Kind::object ? "the root's says something else"
                                    : fmt::format("the root's {} is another model's", shown(*root));
}

const json::Value* Config::find(std::string_view asked) {
  std::string_view key = spelled(asked);
  known_.insert(std::string(asked));  // BLOOM states both, or only one of them
  known_.insert(std::string(key));
  if (key != asked && look(key) == nullptr) key = asked;
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
  const std::string why = overruled(key, *value);
  if (value->kind != Kind::object || !why.empty())
    note({.kind = KeyNote::Kind::used, .key = path, .value = shown(*value), .why = why});
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
      fail(name, fmt::format("{}, but {} is {}; import with --assume {}=VALUE to say which",
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
      place_, fmt::format("missing key '{0}{1}'; if you know it, import with --assume {0}{1}=VALUE",
                          prefix_, key));
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

Config Config::beside(const json::Value& root, const std::string& name) const {
  Config other;
  other.file_ = root.place.file;
  other.prefix_ = name + ".";
  other.place_ = root.place;
  other.levels_.emplace_back(root, "");
  other.assumed_ = assumed_;
  return other;
}

bool Config::is_assumed_away() {
  const std::string name = prefix_.substr(0, prefix_.size() - 1);
  const auto assumed = assumed_.find(name);
  if (assumed == assumed_.end() || assumed->second.kind != Kind::null) return false;
  used_assumptions_.insert(name);
  note({.kind = KeyNote::Kind::assumed, .key = name, .value = "ignored", .why = "--assume"});
  for (const std::string& key : keys()) known_.insert(key);
  return true;
}

std::string Config::model_as_a_whole() const {
  const json::Value* type = member(levels_.back().values, "model_type");
  return type == nullptr ? "" : type->text;
}

std::vector<std::string> Config::keys() const {
  std::vector<std::string> result;
  for (const json::Member& each : levels_.front().object->members) result.push_back(each.key);
  return result;
}

}  // namespace afford::config
