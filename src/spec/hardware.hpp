#pragma once
// An accelerator, the server it sits in, and what it costs. Plain data; every number carries the id
// of its source, and whether it is an estimate.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "spec/dtype.hpp"
#include "spec/source.hpp"

namespace afford {

/// A figure of a data sheet, or an estimate of one.
template <class T>
struct Figure {
  T value{};
  std::string source;  // empty: the file does not state the figure
  bool estimate = false;

  [[nodiscard]] bool stated() const { return !source.empty(); }
};

struct Peak {
  Dtype dtype = Dtype::bf16;
  Figure<FlopRate> rate;  // dense
};

struct ChipTiming;  // calibration/chip_timing.hpp

struct HardwareSpec {
  std::string name, title, file;
  Sources sources;
  Sourced<std::string> architecture;     // hopper; empty: not stated
  Figure<std::int64_t> multiprocessors;  // SMs, compute units; 0: not stated
  std::vector<Peak> peaks;
  Figure<Bytes> memory_size;
  Figure<Bytes> visible_memory;  // of it to programs, as the driver reports it: "80 GB" may be GiB
  Figure<ByteRate> memory_bandwidth;
  // What the driver says of the memory, both or neither: data lines in bits, and what one of them
  // carries, which is twice the memory clock.
  Figure<std::int64_t> bus_width;
  Figure<ByteRate> pin_rate;
  std::string scale_up_kind;                   // "NVLink4"
  Figure<ByteRate> scale_up_bandwidth;         // one accelerator, one direction
  Figure<std::int64_t> scale_up_accelerators;  // how many one fabric joins
  Figure<std::int64_t> server_accelerators;
  Figure<ByteRate> server_bandwidth;  // of accelerators of a server that the fabric does not join
  // What not everyone knows or has may be unstated; what needs it says so.
  Figure<std::int64_t> server_nics;
  Figure<ByteRate> nic_bandwidth;                   // one NIC, one direction
  Figure<Watts> power;                              // one accelerator
  Figure<UsdRate> price{.value = unknown_price()};  // one accelerator
  bool price_given = false;                         // by the user, instead of the file's

  /// Not a number, so that no cost of it can be mistaken for one.
  static constexpr UsdRate unknown_price() {
    return UsdRate(std::numeric_limits<double>::quiet_NaN());
  }

  std::shared_ptr<const ChipTiming> measured;  // a calibration in force; none: default efficiencies
};

/// The peak at exactly this format, or null.
[[nodiscard]] inline const Peak* find_peak(const HardwareSpec& chip, Dtype dtype) {
  for (const Peak& peak : chip.peaks) {
    if (peak.dtype == dtype) return &peak;
  }
  return nullptr;
}

/// Bytes a second that the pins of the memory carry; where they are not stated, the data sheet's
/// bandwidth, which vendors round and derate as they like.
[[nodiscard]] inline ByteRate pin_bandwidth(const HardwareSpec& chip) {
  return chip.pin_rate.stated() ? static_cast<double>(chip.bus_width.value) * chip.pin_rate.value
                                : chip.memory_bandwidth.value;
}

/// Where a chip's price comes from.
enum class PriceOrigin { published, estimate, given, unstated };
[[nodiscard]] constexpr std::string_view name_of(PriceOrigin origin) {
  return origin == PriceOrigin::given      ? "given"
         : origin == PriceOrigin::estimate ? "estimate"
         : origin == PriceOrigin::unstated ? "not stated"
                                           : "published";
}
[[nodiscard]] inline PriceOrigin price_origin(const HardwareSpec& chip) {
  if (chip.price_given) return PriceOrigin::given;
  if (!chip.price.stated()) return PriceOrigin::unstated;
  return chip.price.estimate ? PriceOrigin::estimate : PriceOrigin::published;
}

/// The memory that programs see; where nobody says, the printed size.
[[nodiscard]] inline Bytes seen_memory(const HardwareSpec& chip) {
  return chip.visible_memory.stated() ? chip.visible_memory.value : chip.memory_size.value;
}

/// Whether the servers of this chip can be joined.
[[nodiscard]] inline bool has_network(const HardwareSpec& chip) {
  return chip.nic_bandwidth.stated();
}

/// Accelerators that reach each other without a NIC: those of a fabric, or of a server.
[[nodiscard]] inline std::int64_t joined_accelerators(const HardwareSpec& chip) {
  return std::max(chip.scale_up_accelerators.value, chip.server_accelerators.value);
}

/// What joins `among` accelerators that need no NIC, one accelerator and one direction: over pairs
/// with a bridge, what the pairs meet over.
[[nodiscard]] inline ByteRate fabric_rate(const HardwareSpec& chip, std::int64_t among) {
  return among > chip.scale_up_accelerators.value && chip.server_bandwidth.stated()
             ? chip.server_bandwidth.value
             : chip.scale_up_bandwidth.value;
}

/// All NICs of one server, one direction.
[[nodiscard]] inline ByteRate server_network(const HardwareSpec& chip) {
  return static_cast<double>(chip.server_nics.value) * chip.nic_bandwidth.value;
}

}  // namespace afford
