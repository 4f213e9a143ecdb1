#include <doctest/doctest.h>

#include <cmath>

#include "support.hpp"

using namespace afford;
using test::hardware_error;
using test::hardware_yaml;
using test::replaced;

namespace {

std::string hardware_after(std::string_view from, std::string_view to) {
  return hardware_error(replaced(hardware_yaml, from, to));
}

}  // namespace

TEST_SUITE("errors") {
  TEST_CASE("the hardware fixture itself is sound") {
    CHECK(hardware_error(hardware_yaml) == "no error");
  }

  TEST_CASE("quantities need their unit, and the right one") {
    CHECK(hardware_after("{value: 2 TB/s", "{value: 2000") ==
          "h.yaml:10:22: memory.bandwidth.value: expected a bandwidth such as '4.8 TB/s', got "
          "'2000'");
    CHECK(hardware_after("{value: 2 TB/s", "{value: 2 TBps") ==
          "h.yaml:10:22: memory.bandwidth.value: expected a bandwidth such as '4.8 TB/s', got '2 "
          "TBps': "
          "unknown unit "
          "'TBps'; did you mean 'TB/s'?");
    CHECK(hardware_after("{value: 80 GB", "{value: 80 GB/s") ==
          "h.yaml:9:17: memory.size.value: expected a size such as '80 GB', got '80 GB/s': unknown "
          "unit "
          "'GB/s'; expected one of B, kB, MB, GB, TB, KiB, MiB, GiB, TiB");
    CHECK(hardware_after("{value: 1.00 USD/h", "{value: 0 USD/h") ==
          "h.yaml:20:16: price.value: expected more than zero");
    CHECK(hardware_after("{value: 1.00 USD/h", "{value: -1 USD/h") ==
          "h.yaml:20:16: price.value: expected a price such as '2.00 USD/h', got '-1 USD/h'");
    CHECK(hardware_after("{value: 400 W", "{value: .nan W") ==
          "h.yaml:19:16: power.value: expected a power such as '700 W', got '.nan W'");
  }

  TEST_CASE("price, power and network may be left out; a NIC's two figures stand together") {
    std::string bare = replaced(hardware_yaml, "power: {value: 400 W, source: sheet}\n", "");
    bare = replaced(bare, "price: {value: 1.00 USD/h, source: sheet}\n", "");
    const std::string no_bandwidth =
        replaced(bare, "  nic_bandwidth: {value: 400 Gbit/s, source: sheet}\n", "");
    CHECK(hardware_error(bare) == "no error");
    CHECK(hardware_error(no_bandwidth) == "h.yaml:16:3: missing key 'nic_bandwidth' in 'server'");
    const HardwareSpec chip =
        test::parse_hardware(replaced(no_bandwidth, "  nics: {value: 8, source: sheet}\n", ""));
    CHECK_FALSE(has_network(chip));
    CHECK_FALSE(chip.power.stated());
    CHECK(price_origin(chip) == PriceOrigin::unstated);
    CHECK(std::isnan(chip.price.value.base()));
  }

  TEST_CASE("a fabric of part of the server needs the rate of what joins the others") {
    const std::string pairs = replaced(hardware_yaml, "source: sheet}\n  accelerators: {value: 8",
                                       "source: sheet}\n  accelerators: {value: 2");
    CHECK(hardware_error(pairs) ==
          "h.yaml:16:3: missing key 'bandwidth' in 'server': the fabric joins 2 of its 8 "
          "accelerators");
    const std::string both =
        replaced(pairs, "  nics:", "  bandwidth: {value: 64 GB/s, source: sheet}\n  nics:");
    CHECK(hardware_error(both) == "no error");
    CHECK(hardware_after("  nics:", "  bandwidth: {value: 64 GB/s, source: sheet}\n  nics:") ==
          "h.yaml:17:14: server.bandwidth: expected none, as scale_up joins every accelerator of "
          "the server");
  }

  TEST_CASE("keys and counts") {
    CHECK(hardware_after("  bandwidth: {value: 2 TB/s", "  bandwith: {value: 2 TB/s") ==
          "h.yaml:10:3: unknown key 'bandwith' in 'memory'; did you mean 'bandwidth'?");
    CHECK(hardware_after("  nics: {value: 8", "  nics: {value: 0") ==
          "h.yaml:17:17: server.nics.value: expected an integer from 1 to 4096, got '0'");
    CHECK(hardware_after("  bf16: {", "  fp8: {") ==
          "h.yaml:7:3: missing key 'bf16' in 'peak': every chip falls back on it");
    CHECK(hardware_after("  bf16: {value: 100 TFLOP/s, source: sheet}", "  bf16: 100 TFLOP/s") ==
          "h.yaml:7:9: peak.bf16: expected a mapping of keys, got '100 TFLOP/s'");
    CHECK(hardware_after("{value: 400 W, source: sheet}", "{value: 400 W}") ==
          "h.yaml:19:8: missing key 'source' in 'power'");
  }
}
