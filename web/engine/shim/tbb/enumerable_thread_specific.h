#pragma once
#include <concepts>

// In the page one thread works, and all is its own.
namespace tbb {
template <class T>
class enumerable_thread_specific {
 public:
  enumerable_thread_specific() = default;
  explicit enumerable_thread_specific(const std::invocable auto& make) : value_(make()) {}
  T& local() { return value_; }

 private:
  T value_;
};
}  // namespace tbb
