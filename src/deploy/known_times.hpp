#pragma once
// Times of the parts of a co-located layer, which many layouts of one search share.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_map>

#include "spec/hardware.hpp"
#include "units.hpp"

namespace afford {

/// Of one model at one context under one engine. For one thread.
class KnownTimes {
 public:
  enum class Part { attention, experts, shared };
  /// All that the time of a part depends on: of attention its ways and those of its context, of
  /// experts the ways of each, their groups and whether the engine reaches beyond the fabric.
  struct Key {
    Part part = Part::attention;
    const HardwareSpec* chip = nullptr;
    size_t kind = 0;  // of layers
    std::int64_t tensor = 1, other = 1;
    bool beyond_fabric = false;
    double load = 0;  // requests of attention, tokens of the others
    bool operator==(const Key&) const = default;
  };

  /// `make()`, the first time.
  template <class Make>
  [[nodiscard]] Seconds of(const Key& key, const Make& make) {
    const auto found = times_.find(key);
    return found != times_.end() ? found->second : times_.emplace(key, make()).first->second;
  }

 private:
  struct Hash {
    size_t operator()(const Key& key) const {
      constexpr std::uint64_t spread = 0x9E3779B97F4A7C15;  // 2^64 over the golden ratio
      std::uint64_t sum = std::hash<const void*>()(key.chip) + static_cast<std::uint64_t>(key.part);
      const auto mix = [&](std::uint64_t value) { sum = (sum ^ value) * spread; };
      mix(key.kind);
      mix(static_cast<std::uint64_t>(key.tensor));
      mix(static_cast<std::uint64_t>(key.other) * 2 + (key.beyond_fabric ? 1 : 0));
      mix(std::hash<double>()(key.load));
      return static_cast<size_t>(sum ^ (sum >> 32));
    }
  };
  std::unordered_map<Key, Seconds, Hash> times_;
};

}  // namespace afford
