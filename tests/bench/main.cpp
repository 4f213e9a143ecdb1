// Speed, figure by figure, beside what it was when last committed (tests/bench/figures.csv):
// cmake --build --preset bench, or --preset bench-keep to keep the new ones. Figures in seconds
// depend on the machine, and nothing here can fail a test; tests/instructions.sh can.
#include <fmt/format.h>

#include <exception>
#include <string>

#include "bench/figures.hpp"

int main(int argc, char** argv) {
  using namespace afford::bench;
  const std::string keep = argc > 3 ? argv[3] : "";
  if (argc < 3 || (argc > 3 && keep != "--keep")) {
    fmt::print(stderr, "usage: afford_bench AFFORD FIGURES.csv [--keep]\n");
    return 2;
  }
  try {
    Figures figures(argv[2]);
    // Processes first: the peak of a new one is at least what this one holds.
    measure_processes(figures, argv[1]);
    measure_long_runs(figures, argv[1]);
    measure_evaluations(figures);
    measure_searches(figures);
    if (!keep.empty()) figures.write(argv[2]);
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}\n", e.what());
    return 1;
  }
  return 0;
}
