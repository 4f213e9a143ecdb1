#pragma once
// Lists of module names as checkpoints state them ("model.layers.0.self_attn*", "re:.*mlp.*",
// "lm_head"), matched on the names of the modules that hold weights.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "import/config.hpp"

namespace afford::config {

/// A matrix, or the like matrices of all experts, of one layer: the names implementations give it
/// behind "model.layers.N." ("self_attn.q_proj", fused "self_attn.qkv_proj"), and its weights.
struct Module {
  std::vector<std::string> names;
  double weights = 0;
};

/// An entry is a name (of a module, or of one that holds it: "self_attn", "model.layers.3"), a
/// pattern with '*', or after "re:" a regular expression from the name's start.
class ModulePatterns {
 public:
  /// `in` and `key` are only for messages. Throws InputError for a pattern that is none.
  ModulePatterns(Config& in, std::string_view key, const std::vector<std::string>& entries);

  /// Whether an entry covers the module of this layer (counted from zero).
  [[nodiscard]] bool cover(std::int64_t layer, const Module& module);
  /// An entry that reads like a projection of the first `layers` layers and has covered nothing.
  [[nodiscard]] std::optional<std::string> unmatched(std::int64_t layers) const;

 private:
  struct Entry;
  [[nodiscard]] bool cover_any(std::vector<Entry*>& entries, std::int64_t layer,
                               const Module& module);

  std::vector<std::shared_ptr<Entry>> entries_;
  std::unordered_map<std::int64_t, std::vector<Entry*>> of_layer_;
  std::vector<Entry*> of_any_layer_, by_number_;
  std::unordered_map<std::string, bool> known_;  // what of_any_layer_ says of a module
};

}  // namespace afford::config
