#pragma once
// Blocks of prompts kept for later requests that begin alike, the least recently used going first.

#include <cstdint>
#include <list>
#include <span>
#include <unordered_map>

namespace afford {

class PrefixCache {
 public:
  /// How many of the first blocks are all there.
  [[nodiscard]] std::int64_t cached(std::span<const std::int64_t> blocks) const;

  /// Keeps these blocks, as the most recently used, among at most `most`.
  void keep(std::span<const std::int64_t> blocks, std::int64_t most);
  /// Drops what is beyond `most` blocks.
  void shrink_to(std::int64_t most);
  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(at_.size()); }

 private:
  std::list<std::int64_t> by_use_;  // the most recent first
  std::unordered_map<std::int64_t, std::list<std::int64_t>::iterator> at_;
};

}  // namespace afford
