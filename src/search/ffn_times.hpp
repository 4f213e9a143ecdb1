#pragma once
// FFN times that the pools of a family share.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace afford {

/// By the tokens of a replica, on which alone they depend within a family (search/family.hpp) and
/// at one boundary. A table of open addresses: asked for millions of times.
class FfnTimes {
 public:
  /// `values`: to each number of tokens.
  explicit FfnTimes(size_t values) : values_(values), places_(first_places) {}

  /// Where they are, or where `make(double*)` puts them the first time. They stay there.
  template <class Make>
  [[nodiscard]] const double* of(double tokens, const Make& make) {
    if (2 * (tokens_.size() + 1) > places_.size()) grow();
    size_t at = place_of(tokens);
    while (places_[at] != 0 && tokens_[places_[at] - 1] != tokens) at = next(at);
    if (places_[at] == 0) {
      if (tokens_.size() % in_block == 0) blocks_.emplace_back(new double[in_block * values_]);
      tokens_.push_back(tokens);
      places_[at] = static_cast<std::uint32_t>(tokens_.size());
      make(times(places_[at] - 1));
    }
    return times(places_[at] - 1);
  }

  /// What it takes.
  [[nodiscard]] size_t bytes() const {
    return places_.size() * sizeof(places_.front()) +
           (tokens_.capacity() + blocks_.size() * in_block * values_) * sizeof(double);
  }

 private:
  static constexpr size_t first_places = 1024;  // a power of two, as later ones are
  static constexpr size_t in_block = 512;       // numbers of tokens

  [[nodiscard]] double* times(size_t number) {
    return blocks_[number / in_block].get() + number % in_block * values_;
  }
  [[nodiscard]] size_t next(size_t at) const { return (at + 1) & (places_.size() - 1); }
  [[nodiscard]] size_t place_of(double tokens) const {
    constexpr std::uint64_t spread = 0x9E3779B97F4A7C15;  // 2^64 over the golden ratio
    const auto mixed = static_cast<std::uint64_t>(tokens * 1024) * spread;
    return static_cast<size_t>(mixed >> 32) & (places_.size() - 1);
  }
  void grow() {
    places_.assign(2 * places_.size(), 0);
    for (size_t i = 0; i < tokens_.size(); ++i) {
      size_t at = place_of(tokens_[i]);
      while (places_[at] != 0) at = next(at);
      places_[at] = static_cast<std::uint32_t>(i + 1);
    }
  }

  size_t values_;
  std::vector<std::uint32_t> places_;  // one more than the index of the tokens; 0: free
  std::vector<double> tokens_;
  std::vector<std::unique_ptr<double[]>> blocks_;  // of times; never moved, as copies cost memory
};

}  // namespace afford
