#pragma once
// What the driver's management library says of the GPU: clocks, power, temperature, other
// processes. It comes with the driver (libnvidia-ml.so.1) and is opened at run time; its header is
// not part of the toolkit, so the few functions used are declared in nvml.cpp.

#include <atomic>
#include <memory>
#include <string>
#include <thread>

namespace afford::calibrate {

/// Things that do not change while measuring.
struct DeviceLimits {
  std::string driver;                                              // version, such as 580.82.07
  double power_cap_w = 0, sm_clock_mhz = 0, memory_clock_mhz = 0;  // clocks: the highest allowed
  int processes = 0;                                               // others that compute on it
};

/// One look at the device.
struct DeviceState {
  double power_w = 0, temperature_c = 0, memory_clock_mhz = 0;
  bool slowed_down = false;  // by heat, or by the power supply; reaching the power cap is ordinary
};

class Nvml {
 public:
  /// Opens the library and the device at a PCI bus address ("00000000:1B:00.0"). Throws
  /// std::runtime_error with the reason.
  explicit Nvml(const std::string& pci_bus);
  ~Nvml();
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  [[nodiscard]] DeviceLimits limits() const;
  [[nodiscard]] DeviceState state() const;

 private:
  struct Library;
  std::unique_ptr<Library> library_;
  void* device_ = nullptr;
};

/// Looks at the device every few milliseconds from a thread of its own. Without Nvml it sees
/// nothing.
class Watch {
 public:
  explicit Watch(const Nvml* nvml);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  /// Ends the watch: mean power, the highest temperature, whether it was ever slowed down.
  [[nodiscard]] DeviceState stop();

 private:
  void look();

  const Nvml* nvml_;
  std::atomic<bool> stopping_{false};
  DeviceState seen_;
  double power_sum_ = 0;
  int looks_ = 0;
  std::thread thread_;
};

}  // namespace afford::calibrate
