#include "nvml.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <vector>

namespace afford::calibrate {
namespace {

// Of NVIDIA's NVML API reference (driver 525 and later).
enum { nvml_success = 0, nvml_insufficient_size = 7 };
enum { temperature_gpu = 0, clock_sm = 1, clock_memory = 2 };
constexpr unsigned field_power_instant = 186;  // NVML_FI_DEV_POWER_INSTANT, milliwatts
constexpr unsigned long long slowdown_reasons =
    0x08 | 0x20 | 0x40 |
    0x80;  // hardware slowdown, software thermal, hardware thermal, power brake

struct FieldValue {
  unsigned field = 0, scope = 0;
  long long timestamp = 0, latency_us = 0;
  int value_type = 0, status = 0;
  union {
    double d;
    unsigned u;
    unsigned long long ull;
  } value{};
};

struct ProcessInfo {
  unsigned pid;
  unsigned long long memory;
  unsigned gpu_instance, compute_instance;
};

constexpr auto interval = std::chrono::milliseconds(20);

}  // namespace

struct Nvml::Library {
  void* handle = nullptr;
  int (*init)() = nullptr;
  int (*shutdown)() = nullptr;
  int (*device_by_bus)(const char*, void**) = nullptr;
  int (*driver_version)(char*, unsigned) = nullptr;
  int (*temperature)(void*, int, unsigned*) = nullptr;
  int (*clock)(void*, int, unsigned*) = nullptr;
  int (*max_clock)(void*, int, unsigned*) = nullptr;
  int (*power_limit)(void*, unsigned*) = nullptr;
  int (*reasons)(void*, unsigned long long*) = nullptr;
  int (*field_values)(void*, int, FieldValue*) = nullptr;
  int (*processes)(void*, unsigned*, ProcessInfo*) = nullptr;

  Library() {
    handle = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) throw std::runtime_error("libnvidia-ml.so.1 cannot be opened");
    find(init, "nvmlInit_v2");
    find(shutdown, "nvmlShutdown");
    find(device_by_bus, "nvmlDeviceGetHandleByPciBusId_v2");
    find(driver_version, "nvmlSystemGetDriverVersion");
    find(temperature, "nvmlDeviceGetTemperature");
    find(clock, "nvmlDeviceGetClockInfo");
    find(max_clock, "nvmlDeviceGetMaxClockInfo");
    find(power_limit, "nvmlDeviceGetEnforcedPowerLimit");
    find(reasons, "nvmlDeviceGetCurrentClocksThrottleReasons");
    find(field_values, "nvmlDeviceGetFieldValues");
    find(processes, "nvmlDeviceGetComputeRunningProcesses_v3");
  }

  template <class Function>
  void find(Function*& function, const char* name) {
    function = reinterpret_cast<Function*>(dlsym(handle, name));
    if (function == nullptr)
      throw std::runtime_error(std::string("libnvidia-ml.so.1 has no ") + name);
  }
};

Nvml::Nvml(const std::string& pci_bus) : library_(std::make_unique<Library>()) {
  if (library_->init() != nvml_success) throw std::runtime_error("NVML does not start");
  if (library_->device_by_bus(pci_bus.c_str(), &device_) != nvml_success) {
    library_->shutdown();
    throw std::runtime_error("NVML does not know this GPU");
  }
}

Nvml::~Nvml() { library_->shutdown(); }

DeviceLimits Nvml::limits() const {
  DeviceLimits limits;
  char version[96] = "";
  if (library_->driver_version(version, sizeof version) == nvml_success) limits.driver = version;
  unsigned value = 0;
  if (library_->power_limit(device_, &value) == nvml_success) limits.power_cap_w = 1e-3 * value;
  if (library_->max_clock(device_, clock_sm, &value) == nvml_success) limits.sm_clock_mhz = value;
  if (library_->max_clock(device_, clock_memory, &value) == nvml_success)
    limits.memory_clock_mhz = value;
  constexpr unsigned most = 64;
  std::vector<ProcessInfo> found(most);
  unsigned count = most;
  const int status = library_->processes(device_, &count, found.data());
  if (status == nvml_success || status == nvml_insufficient_size)
    limits.processes = static_cast<int>(std::count_if(
        found.begin(), found.begin() + std::min(count, most),
        [](const ProcessInfo& one) { return one.pid != static_cast<unsigned>(getpid()); }));
  return limits;
}

DeviceState Nvml::state() const {
  DeviceState state;
  unsigned value = 0;
  if (library_->temperature(device_, temperature_gpu, &value) == nvml_success)
    state.temperature_c = value;
  if (library_->clock(device_, clock_memory, &value) == nvml_success)
    state.memory_clock_mhz = value;
  FieldValue power;
  power.field = field_power_instant;
  if (library_->field_values(device_, 1, &power) == nvml_success && power.status == nvml_success)
    state.power_w = 1e-3 * power.value.u;
  unsigned long long reasons = 0;
  if (library_->reasons(device_, &reasons) == nvml_success)
    state.slowed_down = (reasons & slowdown_reasons) != 0;
  return state;
}

Watch::Watch(const Nvml* nvml) : nvml_(nvml) {
  if (nvml_ != nullptr) thread_ = std::thread([this] { look(); });
}

Watch::~Watch() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void Watch::look() {
  while (!stopping_) {
    const DeviceState now = nvml_->state();
    power_sum_ += now.power_w;
    ++looks_;
    seen_.temperature_c = std::max(seen_.temperature_c, now.temperature_c);
    seen_.memory_clock_mhz = now.memory_clock_mhz;
    seen_.slowed_down = seen_.slowed_down || now.slowed_down;
    std::this_thread::sleep_for(interval);
  }
}

DeviceState Watch::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
  if (looks_ > 0) seen_.power_w = power_sum_ / looks_;
  return seen_;
}

}  // namespace afford::calibrate
