// afford-calibrate: measures the GPU of this machine. So far `list`: which GPUs there are, and whether the
// Hopper kernels can run on them.

#include <cstdio>
#include <string>

#include "gpu.hpp"
#include "units.hpp"

namespace {

using afford::calibrate::Driver;
using afford::calibrate::Gpu;

constexpr int exit_done = 0, exit_no = 1, exit_bad_input = 2;

bool is_hopper(const Gpu& gpu) { return gpu.major == 9 && gpu.minor == 0; }

int list() {
  const Driver driver = afford::calibrate::find_gpus();
  if (driver.gpus.empty()) {
    std::fprintf(stderr,
                 "afford-calibrate: no CUDA GPU: %s; a GPU machine needs the NVIDIA driver, nothing else\n",
                 driver.error.empty() ? "the driver lists none" : driver.error.c_str());
    return exit_no;
  }
  std::printf("CUDA driver %d.%d, runtime %d.%d\n", driver.driver / 1000, driver.driver % 1000 / 10,
              driver.runtime / 1000, driver.runtime % 1000 / 10);
  bool any = false;
  for (const Gpu& gpu : driver.gpus) {
    const afford::Bytes memory(gpu.memory_bytes), free(gpu.free_bytes), l2(gpu.l2_bytes);
    std::printf("%d  %s  sm_%d%d  %d SMs  %.1f GB (%.1f GB free)  L2 %.0f MiB  ECC %s  %s\n", gpu.index,
                gpu.name.c_str(), gpu.major, gpu.minor, gpu.multiprocessors, memory / afford::GB,
                free / afford::GB, l2 / afford::MiB, gpu.ecc ? "on" : "off",
                is_hopper(gpu) ? "can be calibrated" : "is no Hopper: cannot be calibrated");
    any = any || is_hopper(gpu);
  }
  return any ? exit_done : exit_no;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string verb = argc == 2 ? argv[1] : "";
  if (verb == "list") return list();
  if (verb == "--version") return std::printf("afford-calibrate %s\n", AFFORD_VERSION), exit_done;
  std::fprintf(stderr, "usage: afford-calibrate list | --version\n");
  return exit_bad_input;
}
