#pragma once
// In the page one thread works.
namespace tbb {
struct task_arena {
  explicit task_arena(int) {}
  template <class Work>
  auto execute(Work work) {
    return work();
  }
};
namespace this_task_arena {
inline int max_concurrency() { return 1; }
}  // namespace this_task_arena
}  // namespace tbb
