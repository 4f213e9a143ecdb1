#pragma once
// A published config as a view that remembers what was asked of it: every key ends up used,
// defaulted, assumed, known not to matter, or not understood - and one that may change the count
// and is not understood is an error.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "import/json.hpp"
#include "yaml/section.hpp"

namespace afford::config {

/// KEY=VALUE pairs that stand above the file. The value `ignore` takes a key out of the count.
using Assumptions = std::map<std::string, std::string, std::less<>>;

/// What a config class of transformers fills in for a key that a file leaves out.
struct Default {
  std::string_view model_type, key, value;  // the value as JSON
  /// Files leave it out wherever it stands. Else only inside a text_config, whose keys transformers
  /// writes where they differ from the class alone.
  bool everywhere = false;
};

/// What a family calls a key that others call `ours`.
struct KeyName {
  std::string_view model_type, ours, theirs;
};

struct KeyNote {
  enum class Kind { used, defaulted, assumed, ignored, not_understood };
  Kind kind = Kind::used;
  std::string key, value;
  std::string why;  // of a default: where it comes from
};

/// A value as notes and messages show it: "64", "[1, 2]", "a list of 80".
[[nodiscard]] std::string shown(const json::Value& value);

class Config {
 public:
  /// The language model's part of the file first (text_config), then the root, as transformers
  /// reads it. Throws InputError.
  Config(const json::Value& root, const Assumptions& assumptions);
  /// Values for keys that are left out, from now on.
  void fill_in(const std::vector<Default>& defaults);
  /// Other names for keys, from now on.
  void rename(const std::vector<KeyName>& names);
  /// Values that stand above the file's own, for one layer; null: none again. `overrides` outlives
  /// its use here.
  void override_with(const json::Value* overrides) { overrides_ = overrides; }
  [[nodiscard]] bool overridden(std::string_view key) const;
  /// Whether anyone has asked for the key so far.
  [[nodiscard]] bool knows(std::string_view key) const { return known_.contains(key); }
  /// The name the file has for a key.
  [[nodiscard]] std::string_view spelled(std::string_view key) const;

  /// Whether the key is there and not null.
  [[nodiscard]] bool has(std::string_view key) { return find(key) != nullptr; }
  /// The first of several names of the same thing that is there; the first name when none is. Names
  /// that are there with different values are an error.
  [[nodiscard]] std::string_view any(std::initializer_list<std::string_view> names);

  /// All of these throw InputError with the place, the key, what was expected and what was found.
  [[nodiscard]] std::int64_t integer(std::string_view key, yaml::Range range);
  [[nodiscard]] std::int64_t integer_or(std::string_view key, yaml::Range range,
                                        std::int64_t fallback, std::string_view why);
  [[nodiscard]] bool flag(std::string_view key, bool fallback, std::string_view why);
  [[nodiscard]] std::string text(std::string_view key);
  [[nodiscard]] std::string text_or(std::string_view key, std::string_view fallback);
  [[nodiscard]] std::vector<std::string> texts(std::string_view key);
  [[nodiscard]] std::vector<std::int64_t> integers(std::string_view key, yaml::Range range);
  /// An object as a view of its own; what it does not understand counts against this one.
  [[nodiscard]] Config object(std::string_view key);
  /// Another file as a view of its own, under its name.
  [[nodiscard]] Config beside(const json::Value& root, const std::string& name) const;
  /// Whether an assumption says to go without this other file.
  [[nodiscard]] bool is_assumed_away();
  /// The keys of the innermost object, in the order of the file.
  [[nodiscard]] std::vector<std::string> keys() const;
  /// The keys of the objects looked at, joined by dots, in front of this one's
  /// ("quantization_config.").
  [[nodiscard]] const std::string& prefix() const { return prefix_; }
  [[nodiscard]] const json::Value* find(std::string_view key);
  [[nodiscard]] const std::string& file() const { return file_; }
  /// The outermost model_type, which that of a text_config does not hide; empty: none.
  [[nodiscard]] std::string model_as_a_whole() const;

  /// An error about the value of `key`.
  [[noreturn]] void fail(std::string_view key, const std::string& complaint);
  /// A value that is not in the file.
  void note_default(std::string_view key, const std::string& value, std::string_view why);
  /// The object is understood as a whole, or does not matter.
  void set_aside(std::string_view key);
  /// Takes over the notes of an object's view, once it is finished.
  void absorb(Config& part);

  /// Sorts the keys nobody asked for. Throws InputError that names all that may change the count,
  /// UsageError for an assumption about a key nobody knows.
  void finish();
  [[nodiscard]] const std::vector<KeyNote>& notes() const { return notes_; }

 private:
  struct Level {
    Level(const json::Value& whole, std::string name);
    const json::Value* object;
    std::string path;     // "text_config."
    bool beside = false;  // it holds a text_config, and what else it says is about towers
    std::unordered_map<std::string_view, const json::Value*> values;
  };
  Config() = default;
  void add_parts();
  [[nodiscard]] bool nested() const { return levels_.back().beside; }
  /// A key that may change the count and is not understood.
  struct Refused {
    Place place;
    std::string path, value;
  };
  void note(KeyNote note);
  void finish_level(const Level& level);
  void finish_key(const json::Member& key, bool beside_text);
  [[nodiscard]] bool settle_by_assumption(const json::Member& key, const std::string& path);
  [[noreturn]] void refuse() const;
  [[nodiscard]] const json::Value* look(std::string_view key);
  [[nodiscard]] const json::Value* default_of(std::string_view key, bool everywhere);
  [[nodiscard]] std::string overruled(std::string_view key, const json::Value& used) const;
  const json::Value& required(std::string_view key);

  std::string file_, prefix_;
  const json::Value* overrides_ = nullptr;
  Place place_;
  std::vector<Level> levels_;
  std::map<std::string, json::Value, std::less<>> assumed_;  // with the prefix; null: ignored
  std::set<std::string, std::less<>> known_, noted_, used_assumptions_;
  std::vector<KeyNote> notes_;
  std::vector<Refused> refused_;
  struct Filled {
    json::Value value;
    bool everywhere;
    std::string why;
  };
  std::map<std::string, Filled, std::less<>> defaults_;
  std::map<std::string_view, std::string_view, std::less<>> renamed_;  // ours, theirs
};

}  // namespace afford::config
