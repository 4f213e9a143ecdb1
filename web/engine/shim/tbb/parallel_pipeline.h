#pragma once
// In the page one thread works: the part of oneTBB's pipeline that the search uses, one item at a
// time.
#include <cstddef>
#include <functional>
#include <utility>

namespace tbb {

class flow_control {
 public:
  void stop() { stopped_ = true; }
  [[nodiscard]] bool stopped() const { return stopped_; }

 private:
  bool stopped_ = false;
};

enum class filter_mode { serial_in_order, parallel };

template <class In, class Out>
struct filter {
  std::function<Out(In)> work;
};
template <class Out>
struct filter<void, Out> {
  std::function<Out(flow_control&)> work;
};
template <>
struct filter<void, void> {
  std::function<void(flow_control&)> work;
};

template <class In, class Out, class Work>
filter<In, Out> make_filter(filter_mode, Work work) {
  return {std::move(work)};
}

template <class Middle, class Out>
filter<void, Out> operator&(filter<void, Middle> first, filter<Middle, Out> second) {
  return {[first = std::move(first), second = std::move(second)](flow_control& control) -> Out {
    Middle item = first.work(control);
    if (control.stopped()) return Out();
    return second.work(std::move(item));
  }};
}

inline void parallel_pipeline(std::size_t, const filter<void, void>& chain) {
  for (flow_control control; !control.stopped();) chain.work(control);
}

}  // namespace tbb
