// The keys of a config that nobody asked for: known not to matter, assumed away, or refused.
#include <fmt/format.h>

#include "import/config.hpp"
#include "import/keys.hpp"
#include "text/suggest.hpp"

namespace afford::config {
namespace {

using Kind = json::Value::Kind;

/// False, null, empty, 0 and -1 say that something is not there.
bool is_off(const json::Value& value) {
  const bool none = value.text == "0" || value.text == "-1" || value.text == "0.0";
  return value.kind == Kind::null || (value.kind == Kind::number && none) ||
         (value.kind == Kind::boolean && value.text == "false") ||
         (value.kind == Kind::list && value.items.empty()) ||
         (value.kind == Kind::object && value.members.empty());
}

}  // namespace

void Config::absorb(Config& part) {
  for (const Level& level : part.levels_) part.finish_level(level);
  for (KeyNote& each : part.notes_) note(std::move(each));
  for (Refused& each : part.refused_) refused_.push_back(std::move(each));
  used_assumptions_.merge(part.used_assumptions_);
}

bool Config::settle_by_assumption(const json::Member& key, const std::string& path) {
  const auto assumed = assumed_.find(path);
  if (assumed == assumed_.end()) return false;
  used_assumptions_.insert(path);
  if (assumed->second.kind != Kind::null) {
    throw InputError(key.place,
                     fmt::format("'{0}' is not understood, whatever its value; the only answer is "
                                 "--assume {0}=ignore",
                                 path));
  }
  note({.kind = KeyNote::Kind::assumed, .key = path, .value = "ignored", .why = "--assume"});
  return true;
}

/// A key nobody asked for.
void Config::finish_key(const json::Member& key, bool beside_text) {
  const std::string path = prefix_ + key.key;
  if (settle_by_assumption(key, path)) return;
  const bool formats = states_formats(key.key) && !is_off(key.value);
  KeyNote left{.kind = KeyNote::Kind::ignored, .key = path, .value = shown(key.value), .why = ""};
  const bool nothing = key.value.kind == Kind::null;
  if (!formats && (beside_text || nothing || does_not_matter(key.key)))
    return note(std::move(left));
  if (formats || (may_matter(key.key) && !is_off(key.value))) {
    refused_.push_back({key.place, path, shown(key.value)});
    return;
  }
  left.kind = KeyNote::Kind::not_understood;
  note(std::move(left));
}

void Config::finish_level(const Level& level) {
  for (const json::Member& each : level.object->members) {
    if (!known_.contains(each.key)) finish_key(each, level.beside);
  }
}

void Config::refuse() const {
  const std::vector<std::string> names(known_.begin(), known_.end());
  if (refused_.size() == 1) {
    const Refused& only = refused_.front();
    std::string hint = suggestion(only.path, names);
    const bool named = hint.find("did you mean") != std::string::npos;
    hint = named ? hint.append(" To") : "; to";
    throw InputError(only.place,
                     fmt::format("'{0}' ({1}) may change the count and is not understood{2} count "
                                 "without it, import with --assume {0}=ignore",
                                 only.path, only.value, hint));
  }
  std::string list, answer;
  for (const Refused& each : refused_) {
    list += fmt::format("{}'{}' ({})", list.empty() ? "" : ", ", each.path, each.value);
    answer += fmt::format("{}{}=ignore", answer.empty() ? "" : ",", each.path);
  }
  throw InputError(refused_.front().place,
                   fmt::format("{} may change the count and are not understood; to count without "
                               "them, import with --assume {}",
                               list, answer));
}

void Config::finish() {
  for (const Level& level : levels_) finish_level(level);
  if (!refused_.empty()) refuse();
  const std::vector<std::string> names(known_.begin(), known_.end());
  for (const auto& [key, value] : assumed_) {
    if (used_assumptions_.contains(key)) continue;
    throw UsageError(fmt::format("--assume: nothing asks for '{}' of this config{}", key,
                                 suggestion(key, names)));
  }
}

}  // namespace afford::config
