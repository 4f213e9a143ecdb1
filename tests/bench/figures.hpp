#pragma once
// The figures that are kept: each with what was measured, and what it was when last committed.

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace afford::bench {

struct Figure {
  std::string name;  // "frontier_1e9_s": what it is of, and its unit last
  double value = 0;
  std::string of;  // "3 cores, 1.2e9 candidates"
};

/// Called with each figure as it is measured.
class Figures {
 public:
  /// `kept` is a file that write() made, or none yet.
  explicit Figures(const std::string& kept);

  /// Prints it, with its ratio to the kept one.
  void add(Figure figure);

  /// Keeps all that were added, with this machine and today.
  void write(const std::string& file) const;

 private:
  std::map<std::string, double, std::less<>> kept_;
  std::vector<Figure> figures_;
};

void measure_evaluations(Figures& figures);
void measure_searches(Figures& figures);
void measure_processes(Figures& figures, const std::string& afford);
void measure_long_runs(Figures& figures, const std::string& afford);

}  // namespace afford::bench
