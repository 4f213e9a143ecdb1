// Runs the fuzz target over files and folders, for compilers without libFuzzer and for ctest.
#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, size_t size);

namespace {

namespace fs = std::filesystem;

/// Seconds the target takes for one file.
double replay(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  const auto start = std::chrono::steady_clock::now();
  (void)LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  constexpr double slowest_allowed = 1;  // second
  int files = 0, slow = 0;
  const auto run = [&](const fs::path& path) {
    ++files;
    const double seconds = replay(path);
    if (seconds <= slowest_allowed) return;
    fmt::print(stderr, "{}: took {:.2f} s\n", path.string(), seconds);
    ++slow;
  };
  for (const std::string& argument : std::vector<std::string>(argv + 1, argv + argc)) {
    if (!fs::is_directory(argument)) {
      run(argument);
      continue;
    }
    for (const auto& entry : fs::directory_iterator(argument)) run(entry.path());
  }
  fmt::print("{} inputs, {} slower than {} s\n", files, slow, slowest_allowed);
  return slow == 0 && files > 0 ? 0 : 1;
}
