#pragma once
// In the page one thread works: oneTBB's loop as a plain one.
namespace tbb {
template <class Index, class Body>
void parallel_for(Index from, Index to, const Body& body) {
  for (Index i = from; i < to; ++i) body(i);
}
}  // namespace tbb
