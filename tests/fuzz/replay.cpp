// Runs the fuzz targets over the corpus and over files that are known to be good, for compilers
// without libFuzzer and for ctest: each argument is TARGET=FILE or TARGET=FOLDER, or a folder of
// folders named after targets.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "fuzz/targets.hpp"

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct Tally {
  int inputs = 0, slow = 0;
};

void replay(const afford::fuzz::Target& target, const fs::path& path, Tally& tally) {
  constexpr double slowest_allowed = 2;  // seconds, under sanitizers on a busy machine
  if (fs::is_directory(path)) {
    for (const auto& entry : fs::directory_iterator(path)) replay(target, entry.path(), tally);
    return;
  }
  std::ifstream stream(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  const auto start = Clock::now();
  target.run(text);
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  ++tally.inputs;
  if (seconds <= slowest_allowed) return;
  fmt::print(stderr, "{} {}: took {:.2f} s\n", target.name, path.string(), seconds);
  ++tally.slow;
}

bool replay(const std::string& name, const fs::path& path, Tally& tally) {
  const afford::fuzz::Target* target = afford::fuzz::find(name);
  if (target == nullptr) {
    fmt::print(stderr, "no fuzz target '{}'\n", name);
    return false;
  }
  replay(*target, path, tally);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Tally tally;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (const size_t equals = argument.find('='); equals != std::string::npos) {
      if (!replay(argument.substr(0, equals), argument.substr(equals + 1), tally)) return 1;
      continue;
    }
    for (const auto& entry : fs::directory_iterator(argument)) {
      if (!replay(entry.path().filename().string(), entry.path(), tally)) return 1;
    }
  }
  fmt::print("{} inputs over {} targets, {} too slow\n", tally.inputs,
             afford::fuzz::targets().size(), tally.slow);
  return tally.slow == 0 && tally.inputs > 0 ? 0 : 1;
}
