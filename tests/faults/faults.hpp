#pragma once
// Verbs that write a file, run as processes of their own under faults: signals, failing system
// calls, full disks. Whatever happens, a file is the old one or whole, nothing is left beside it,
// and a failure is not called success.

#include <chrono>
#include <csignal>
#include <map>
#include <string>
#include <vector>

namespace afford::test {

/// A command that writes `output` into the folder it runs in.
struct Writer {
  std::string name;
  std::vector<std::string> words;
  std::string output;
};
[[nodiscard]] const std::vector<Writer>& writers();
[[nodiscard]] const Writer& writer_named(const std::string& name);

/// AFFORD_FAULTS=all: everything that can be disturbed, which takes some twenty minutes. Left out:
/// a sample of it, in seconds.
[[nodiscard]] bool thorough();

/// The folder a writer runs in: its inputs and, if wanted, an old output.
class Workplace {
 public:
  explicit Workplace(std::string parent = "");
  ~Workplace();
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Puts the old output there, and takes away what else a run has left.
  void reset(const std::string& output) const;
  [[nodiscard]] std::string read(const std::string& name) const;
  /// Files that are neither inputs nor the output.
  [[nodiscard]] std::vector<std::string> strays(const std::string& output) const;

 private:
  std::string path_;
};

inline const std::string old_content = "what stood here before\n";

struct Ended {
  int code = -1;  // 128 + the signal when one ended it
  std::string out, err;
  std::chrono::duration<double> took{0};
};

/// How a run is disturbed.
struct Disturbance {
  std::map<std::string, std::string> environment;
  int signal = 0;  // 0: none
  std::chrono::duration<double> after{0};
};
[[nodiscard]] Ended run(const Writer& writer, const Workplace& place,
                        const Disturbance& disturbance = {});

}  // namespace afford::test
