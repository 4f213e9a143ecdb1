#pragma once
// A value for each kind of a model's layers.

#include <array>
#include <cstddef>
#include <vector>

namespace afford {

/// As many as nearly all models have stand in place, so that a search that makes millions of these
/// touches no heap; models that search every layer's shape have more (OpenELM: one a layer).
template <class T>
class PerKind {
 public:
  static constexpr std::size_t in_place = 8;

  PerKind() = default;
  explicit PerKind(std::size_t kinds) : size_(kinds) {
    if (kinds > in_place) many_.resize(kinds);
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] T* data() { return size_ > in_place ? many_.data() : few_.data(); }
  [[nodiscard]] const T* data() const { return size_ > in_place ? many_.data() : few_.data(); }
  [[nodiscard]] T& operator[](std::size_t kind) { return data()[kind]; }
  [[nodiscard]] const T& operator[](std::size_t kind) const { return data()[kind]; }
  [[nodiscard]] const T* begin() const { return data(); }
  [[nodiscard]] const T* end() const { return data() + size_; }

 private:
  std::size_t size_ = 0;
  std::array<T, in_place> few_{};
  std::vector<T> many_;
};

}  // namespace afford
