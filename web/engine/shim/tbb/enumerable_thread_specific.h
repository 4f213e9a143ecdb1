#pragma once
// In the page one thread works, and all is its own.
namespace tbb {
template <class T>
class enumerable_thread_specific {
 public:
  T& local() { return value_; }

 private:
  T value_;
};
}  // namespace tbb
