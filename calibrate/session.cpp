#include "session.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "commit.hpp"
#include "device_class.hpp"
#include "engine.hpp"
#include "error.hpp"
#include "text/date.hpp"
#include "units.hpp"

namespace afford::calibrate {
namespace {

void warn(const std::string& text) { fmt::print(stderr, "afford-calibrate: warning: {}\n", text); }

Gpu checked_gpu(const Driver& driver, int index, double bytes_needed) {
  if (driver.gpus.empty())
    throw UsageError(
        fmt::format("no CUDA GPU: {}; run it on a machine with a Hopper GPU and the NVIDIA driver",
                    driver.error.empty() ? "the driver lists none" : driver.error));
  if (index < 0 || index >= static_cast<int>(driver.gpus.size()))
    throw UsageError(fmt::format("--gpu: expected a number from 0 to {}, got {}",
                                 driver.gpus.size() - 1, index));
  const Gpu& gpu = driver.gpus[static_cast<size_t>(index)];
  if (gpu.major != 9 || gpu.minor != 0)
    throw UsageError(fmt::format("GPU {} is {} (sm_{}{}): the kernels need a Hopper (sm_90)", index,
                                 gpu.name, gpu.major, gpu.minor));
  if (gpu.name.find("MIG") != std::string::npos)
    throw UsageError(fmt::format("GPU {} is {}: a slice does not stand for the chip; turn MIG off",
                                 index, gpu.name));
  if (gpu.free_bytes < bytes_needed)
    throw UsageError(fmt::format(
        "GPU {} has {:.0f} GB free of {:.0f} GB: {:.0f} GB are needed; end what else uses it",
        index, Bytes(gpu.free_bytes) / GB, Bytes(gpu.memory_bytes) / GB, Bytes(bytes_needed) / GB));
  return gpu;
}

std::string cuda_version(int number) {
  return fmt::format("{}.{}", number / 1000, number % 1000 / 10);
}

}  // namespace

Session open_session(int index, double bytes_needed) {
  Session session;
  // The management library first: once this program has a context, it would count itself.
  std::string no_nvml = "there is no such GPU";
  try {
    if (const std::string bus = pci_bus(index); !bus.empty()) {
      session.nvml = std::make_unique<Nvml>(bus);
      session.limits = session.nvml->limits();
    }
  } catch (const std::runtime_error& error) {
    no_nvml = error.what();
  }
  const Driver driver = find_gpus();
  session.gpu = checked_gpu(driver, index, bytes_needed);
  session.cuda =
      fmt::format("{}, runtime {}", cuda_version(driver.driver), cuda_version(driver.runtime));
  use_gpu(index);
  if (session.nvml == nullptr)
    warn(fmt::format("{}: no power, temperature or slowdown is recorded", no_nvml));
  if (session.limits.processes > 0)
    warn(fmt::format("{} other process{} on this GPU: what is measured may be wrong",
                     session.limits.processes, session.limits.processes > 1 ? "es run" : " runs"));
  if (session.nvml != nullptr && session.nvml->state().slowed_down)
    warn("the GPU is slowed down by heat or its power supply");
  try {
    session.lt = std::make_unique<CublasLt>();
  } catch (const std::runtime_error& error) {
    warn(fmt::format("no dense projections: {}", error.what()));
  }
  return session;
}

Provenance provenance_of(const Session& session, const std::string& command) {
  Provenance from;
  from.engine = kernels().name;
  from.chip = device_class(session.gpu.name, session.gpu.memory_bytes);
  from.architecture = "hopper";
  from.device = session.gpu.name;
  from.multiprocessors = session.gpu.multiprocessors;
  from.driver = session.limits.driver;
  from.cuda = session.cuda;
  from.power_cap_w = session.limits.power_cap_w;
  from.sm_clock_mhz = session.limits.sm_clock_mhz;
  from.memory_clock_mhz = session.limits.memory_clock_mhz;
  from.date = today();
  from.commit = commit;
  from.command = command;
  return from;
}

}  // namespace afford::calibrate
