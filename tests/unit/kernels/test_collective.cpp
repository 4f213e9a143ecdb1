// Collectives over one scale-up domain and over several, and the exchange of tokens.
#include <doctest/doctest.h>

#include "kernels/collective.hpp"
#include "load/calibrations.hpp"
#include "load/library.hpp"

using namespace afford;
using doctest::Approx;

namespace {

struct CollectiveFixture {
  HardwareSpec chip = load_hardware({"h200"}).front();
  Engine engine;
  [[nodiscard]] Machine machine() const { return {chip, engine}; }
  [[nodiscard]] double fabric() const {
    return engine.scale_up * chip.scale_up_bandwidth.value.base();
  }
  [[nodiscard]] double nic() const { return engine.nic * server_network(chip).base() / 8; }
};

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("a group packs into domains: what the fabric joins, or every so-manieth of it") {
    const CollectiveFixture f;
    const auto is = [&](std::int64_t n, std::int64_t stride, std::int64_t inside) {
      const Group group = group_of(n, f.chip, stride);
      CHECK(group.inside == inside);
      CHECK(group.inside * group.domains == n);
    };
    is(1, 1, 1);
    is(8, 1, 8);
    is(16, 1, 8);
    is(12, 1, 6);
    is(8, 4, 2);  // replicas of four accelerators: two in a server
    is(4, 16, 1);
    CHECK(group_of(72, load_hardware({"gb200"}).front()).domains == 1);
  }

  // vllm-project/recipes#365: eight cards, NVLink between two and two.
  TEST_CASE("in a server of bridged pairs the link between the pairs decides") {
    const Engine engine;
    const auto all = [&](const HardwareSpec& chip, std::int64_t ways) {
      const GroupCollective work{
          .name = "x", .vector = Bytes(64.0 * 5120 * 2), .group = group_of(ways, chip)};
      return all_reduce(work, Machine(chip, engine)).time;
    };
    const std::vector<HardwareSpec> chips = load_hardware({"h100-nvl", "h100-pcie"});
    CHECK(all(chips[0], 8) == all(chips[1], 8));
    CHECK(all(chips[0], 8) / microsecond == Approx(25.8).epsilon(0.02));
    CHECK(all(chips[0], 2) < all(chips[1], 2));
    const TokenExchange over{.tokens = 8, .copies = 2, .bytes = MB, .accelerators = 8};
    CHECK(exchange_time(over, Machine(chips[0], engine)) ==
          exchange_time(over, Machine(chips[1], engine)));
  }

  TEST_CASE("an all-reduce is a reduce-scatter and an all-gather, inside a domain and across") {
    const CollectiveFixture f;
    for (const Group group : {Group{8, 1}, Group{8, 2}, Group{1, 4}}) {
      const GroupCollective work{.name = "x", .vector = MB, .group = group};
      const Seconds both =
          all_gather(work, f.machine()).time + reduce_scatter(work, f.machine()).time;
      const Seconds starts = group.inside > 1 ? f.engine.collective : Seconds(0);
      CHECK((all_reduce(work, f.machine()).time + starts) / both == Approx(1));
    }
  }

  TEST_CASE("measured links stand for the rate and latency of an engine, inside their server") {
    CollectiveFixture f;
    f.chip = load_hardware({"h100"}).front();
    const auto time = [&](const Group& group) {
      return all_reduce({.name = "x", .vector = MB, .group = group}, f.machine()).time;
    };
    const TokenExchange sent{.tokens = 64, .copies = 8, .bytes = kB, .accelerators = 4};
    const Seconds stated_across = time({4, 2}) - time({4, 1}), stated = time({4, 1});
    attach_calibrations({&f.chip}, (data_folder() / "hardware/h100.calibration.yaml").string());
    const Links& links = f.chip.measured->calibration->links;
    CHECK(time({4, 1}) == collective_time(links, "all_reduce", 4, 1e6).value());
    CHECK(time({4, 1}) > 1.5 * stated);
    CHECK((time({4, 2}) - time({4, 1})) / stated_across == Approx(1));
    CHECK(exchange_time(sent, f.machine()) ==
          collective_time(links, "all_to_all", 4, 64 * 8 * 1e3).value());
    HardwareSpec other = load_hardware({"h800"}).front();  // takes the fractions, not the links
    const Seconds before =
        all_reduce({.name = "x", .vector = MB, .group = {4, 1}}, Machine(other, f.engine)).time;
    attach_calibrations({&other}, (data_folder() / "hardware/h100.calibration.yaml").string());
    CHECK(all_reduce({.name = "x", .vector = MB, .group = {4, 1}}, Machine(other, f.engine)).time ==
          before);
    CHECK(fidelity_of(f.chip) == "calibrated (h100, 2026-11-28, links of 2 and 4 GPUs)");
  }

  TEST_CASE("a hierarchical all-reduce: the vector inside, each one's share of it between") {
    const CollectiveFixture f;
    const auto all = [&](const Group& group) {
      return all_reduce({.name = "x", .vector = MB, .group = group}, f.machine());
    };
    const double inside = 2 * 7.0 / 8 * 1e6 / f.fabric() + f.engine.collective / second;
    CHECK(all({8, 1}).time / second == Approx(inside));
    const double between = 2 * 3.0 / 4 * 1e6 / 8 / f.nic() + 2 * 2 * (f.engine.network / second);
    CHECK(all({8, 4}).time / second == Approx(inside + between));
    CHECK(all({1, 4}).time / second ==
          Approx(2 * 3.0 / 4 * 1e6 / f.nic() + 4 * (f.engine.network / second)));
    CHECK(all({8, 4}).moved.base() == Approx(2 * 7.0 / 8 * 1e6 + 2 * 3.0 / 4 * 1e6 / 8));
  }

  TEST_CASE("the slower link binds a hierarchical collective") {
    CollectiveFixture f;
    const GroupCollective work{.name = "x", .vector = 100 * MB, .group = {8, 2}};
    const Op fast = all_reduce(work, f.machine());
    f.chip.nic_bandwidth.value = 0.01 * f.chip.nic_bandwidth.value;
    const Op slow = all_reduce(work, f.machine());
    CHECK(slow.bound == Limit::network);
    CHECK(slow.time > 10 * fast.time);
    f.chip.nic_bandwidth.value = 1e4 * f.chip.nic_bandwidth.value;
    CHECK(all_reduce(work, f.machine()).bound == Limit::scale_up);
  }

  TEST_CASE("tokens go to their experts over the fabric where it reaches all, else over the NIC") {
    const CollectiveFixture f;
    TokenExchange work{.tokens = 64, .copies = 8, .bytes = kB, .accelerators = 8};
    const double bytes = 64 * 8 * 1e3;
    CHECK(exchange_time(work, f.machine()) / second ==
          Approx(bytes / f.fabric() + f.engine.collective / second));
    work.accelerators = 16;
    CHECK(exchange_time(work, f.machine()) / second ==
          Approx(bytes / f.nic() + f.engine.network / second));
  }
}
