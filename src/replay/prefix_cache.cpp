#include "replay/prefix_cache.hpp"

#include <algorithm>

namespace afford {

std::int64_t PrefixCache::cached(std::span<const std::int64_t> blocks) const {
  return std::find_if_not(blocks.begin(), blocks.end(),
                          [&](std::int64_t id) { return at_.contains(id); }) -
         blocks.begin();
}

void PrefixCache::keep(std::span<const std::int64_t> blocks, std::int64_t most) {
  // The last block first: a prefix is of no use without its beginning, which is to go last.
  for (auto block = blocks.rbegin(); block != blocks.rend(); ++block) {
    const std::int64_t id = *block;
    const auto known = at_.find(id);
    if (known != at_.end()) {
      by_use_.splice(by_use_.begin(), by_use_, known->second);
    } else {
      by_use_.push_front(id);
      at_.emplace(id, by_use_.begin());
    }
  }
  shrink_to(most);
}

void PrefixCache::shrink_to(std::int64_t most) {
  while (size() > std::max<std::int64_t>(most, 0)) {
    at_.erase(by_use_.back());
    by_use_.pop_back();
  }
}

}  // namespace afford
