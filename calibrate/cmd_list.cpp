#include <fmt/format.h>

#include "commands.hpp"
#include "device_class.hpp"
#include "error.hpp"
#include "gpu.hpp"
#include "units.hpp"

namespace afford::calibrate {
namespace {

bool is_hopper(const Gpu& gpu) { return gpu.major == 9 && gpu.minor == 0; }

}  // namespace

int list() {
  const Driver driver = find_gpus();
  if (driver.gpus.empty()) {
    fmt::print(
        stderr,
        "afford-calibrate: no CUDA GPU: {}; a GPU machine needs the NVIDIA driver, nothing else\n",
        driver.error.empty() ? "the driver lists none" : driver.error);
    return exit_no;
  }
  fmt::print("CUDA driver {}.{}, runtime {}.{}\n", driver.driver / 1000, driver.driver % 1000 / 10,
             driver.runtime / 1000, driver.runtime % 1000 / 10);
  bool any = false;
  for (const Gpu& gpu : driver.gpus) {
    const Bytes memory(gpu.memory_bytes), free(gpu.free_bytes), l2(gpu.l2_bytes);
    fmt::print("{}  {}  sm_{}{}  {} SMs  {:.1f} GB ({:.1f} GB free)  L2 {:.0f} MiB  ECC {}  {}\n",
               gpu.index, gpu.name, gpu.major, gpu.minor, gpu.multiprocessors, memory / GB,
               free / GB, l2 / MiB, gpu.ecc ? "on" : "off",
               is_hopper(gpu) ? "calibrates as " + device_class(gpu.name, gpu.memory_bytes)
                              : "is no Hopper: cannot be calibrated");
    any = any || is_hopper(gpu);
  }
  return any ? exit_done : exit_no;
}

}  // namespace afford::calibrate
