#include "bench/measure.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>

namespace afford::bench {
namespace {

double seconds(const timeval& t) {
  return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
}

double cpu_of(const rusage& usage) { return seconds(usage.ru_utime) + seconds(usage.ru_stime); }

Usage quickest_of(int runs, const std::function<Usage()>& run) {
  Usage best = run();
  for (int i = 1; i < runs; ++i) {
    const Usage now = run();
    if (now.cpu_s < best.cpu_s) best.cpu_s = now.cpu_s;
    if (now.wall_s < best.wall_s) best.wall_s = now.wall_s;
    if (now.peak_mib > best.peak_mib) best.peak_mib = now.peak_mib;
  }
  return best;
}

/// Runs it to its end; what it used.
rusage run_process(const std::vector<std::string>& words) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int stream : {STDOUT_FILENO, STDERR_FILENO})
    posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int error = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = -1;
  rusage usage{};
  if (error != 0 || wait4(child, &status, 0, &usage) < 0 || status != 0)
    throw std::runtime_error(fmt::format("failed: {}", fmt::join(words, " ")));
  return usage;
}

}  // namespace

Usage quickest(int runs, const std::function<void()>& work) {
  return quickest_of(runs, [&] {
    rusage before{}, after{};
    const auto start = std::chrono::steady_clock::now();
    getrusage(RUSAGE_SELF, &before);
    work();
    getrusage(RUSAGE_SELF, &after);
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
    return Usage{.cpu_s = cpu_of(after) - cpu_of(before), .wall_s = wall.count()};
  });
}

Usage quickest_process(int runs, const std::vector<std::string>& words) {
  constexpr double kib_a_mib = 1024;
  return quickest_of(runs, [&] {
    const auto start = std::chrono::steady_clock::now();
    const rusage usage = run_process(words);
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
    return Usage{.cpu_s = cpu_of(usage),
                 .wall_s = wall.count(),
                 .peak_mib = static_cast<double>(usage.ru_maxrss) / kib_a_mib};
  });
}

}  // namespace afford::bench
