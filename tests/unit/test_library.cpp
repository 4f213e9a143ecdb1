#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "load/library.hpp"
#include "load/read_once.hpp"
#include "support.hpp"

using namespace afford;

TEST_SUITE("unit") {
  TEST_CASE("an entry is named as its file") {
    for (const ModelSpec& model : load_models({"all"})) {
      CHECK(std::filesystem::path(model.file).stem().string() == model.name);
    }
    for (const HardwareSpec& chip : load_hardware({"all"})) {
      CHECK(std::filesystem::path(chip.file).stem().string() == chip.name);
    }
  }

  TEST_CASE("paths are told from names") {
    CHECK(is_path("./x.yaml"));
    CHECK(is_path("x.yaml"));
    CHECK_FALSE(is_path("ernie-4.5"));
    CHECK_FALSE(is_path("910b"));
  }

  TEST_CASE("a folder of one's own adds to the shipped ones, and comes before its namesakes") {
    const test::TempFolder folder;
    std::filesystem::create_directory(folder.path("hardware"));
    (void)folder.file("hardware/mine.yaml", test::replaced(test::hardware_yaml, "chip", "mine"));
    (void)folder.file("hardware/h20.yaml", test::replaced(test::hardware_yaml, "chip", "h20"));
    const std::string own = "AFFORD_PATH=" + folder.path("");
    const test::Outcome cost = test::run_afford("cost -m phi-4 --on mine,h800 -c 1k", own);
    CHECK(cost.err.empty());
    CHECK(cost.code == 0);
    CHECK(test::run_afford("show h20", own).out.find("100 TFLOP/s") != std::string::npos);
    const std::string all = test::run_afford("list hardware --format csv", own).out;
    CHECK(all.find("\nmine,Chip,") != std::string::npos);
    CHECK(all.find("\nh200,") != std::string::npos);
    CHECK(test::run_afford("show h20", "AFFORD_PATH=/nowhere").err ==
          "afford: AFFORD_PATH has '/nowhere', which holds no models/, hardware/ or engines/\n");
  }

  TEST_CASE("a chip without price, power or network serves wherever none is needed") {
    const auto refuses = [](const std::string& arguments, const std::string& message) {
      const test::Outcome outcome = test::run_afford(arguments);
      CHECK(outcome.code == 2);
      CHECK(outcome.err == "afford: " + message + "\n");
    };
    const std::string one = "simulate -m qwen3-8b --colocated rtx-4090:1x1 --batch 1 -c 1k ";
    const test::Outcome simulated = test::run_afford(one + "--format csv");
    CHECK(simulated.code == 0);
    const auto rows = test::parse_csv(simulated.out);
    CHECK(rows[0][8] == "usd_per_mtok");
    CHECK(rows[1][8].empty());
    CHECK(test::run_afford(one + "--price rtx-4090=0.4").code == 0);
    refuses("simulate -m qwen3-8b --colocated rtx-4090:2x4 --tp 8 --batch 1 -c 1k",
            "--colocated: rtx-4090 states no NIC, which an engine of several servers is joined by");
    refuses("simulate -m step-3 --attention rtx-4090:2x4 --ffn h800:2x8 --batch 96",
            "--attention: rtx-4090 states no NIC, which the two pools are joined by");
    refuses("pareto -m qwen3-8b --on rtx-4090 --objective usd",
            "--price: objective usd needs one of rtx-4090, whose file states none; such as "
            "rtx-4090=1.50");
    refuses("simulate -m qwen3-8b --colocated rtx-4090:1x1 --batch 1 --nic-bandwidth 50GB/s",
            "--nic-bandwidth: rtx-4090 states no NIC");
    const std::string compared =
        test::run_afford("compare -m qwen3-8b --on rtx-4090,h20 -c 8k").out;
    CHECK(
        compared.find("Left out, as they state no price (--price CHIP=USD gives one): rtx-4090.") !=
        std::string::npos);
    CHECK(test::run_afford("pareto -m qwen3-8b --on rtx-4090 -c 1k --max-gpus 8").code == 0);
  }

  // Vendors' and InferenceX' figures; the last two columns of a row: GB and TB/s.
  TEST_CASE("the chips people name are there with their published figures") {
    const struct {
      const char* name;
      double bf16, gb, tb_per_s;
    } rows[] = {{"h20-141g", 148, 141, 4.8},        {"mi325x", 1307, 256, 6},
                {"mi355x", 2516, 288, 8},           {"l40s", 362.05, 48, 0.864},
                {"rtx-pro-6000", 467.8, 96, 1.792}, {"rtx-4090", 165.2, 24, 1.008},
                {"rtx-5090", 209.5, 32, 1.792},     {"h100-pcie", 756.5, 80, 2},
                {"h100-nvl", 835.5, 94, 3.9},       {"tpu-v6e", 918, 32, 1.638},
                {"tpu-7x", 2307, 206.158, 7.38},    {"trainium2", 667, 103.079, 2.9},
                {"gaudi3", 1835, 128, 3.67},        {"950pr", 500, 128, 1.6}};
    for (const auto& row : rows) {
      CAPTURE(row.name);
      const HardwareSpec chip = load_hardware({row.name}).front();
      CHECK(find_peak(chip, Dtype::bf16)->rate.value / TFLOP_per_s == doctest::Approx(row.bf16));
      CHECK(chip.memory_size.value / GB == doctest::Approx(row.gb));
      CHECK(chip.memory_bandwidth.value / TB_per_s == doctest::Approx(row.tb_per_s));
    }
  }

  // Step-3 report, arXiv 2507.19427, Table 4 and Section 5.
  TEST_CASE("the report's four chips carry the report's figures") {
    const auto chips = load_hardware({"h800", "h20", "a800", "910b"});
    const double bf16[] = {989e12, 148e12, 312e12, 280e12},
                 bandwidth[] = {3.35e12, 4e12, 2e12, 1.6e12};
    const double price[] = {2.00, 0.80, 0.75, 0.67}, network[] = {400e9, 400e9, 200e9, 200e9};
    for (size_t i = 0; i < 4; ++i) {
      CAPTURE(chips[i].name);
      CHECK(find_peak(chips[i], Dtype::bf16)->rate.value.base() == doctest::Approx(bf16[i]));
      CHECK(chips[i].memory_bandwidth.value.base() == doctest::Approx(bandwidth[i]));
      CHECK(chips[i].price.value / usd_per_hour == doctest::Approx(price[i]));
      CHECK(server_network(chips[i]).base() == doctest::Approx(network[i]));
    }
    CHECK(find_peak(chips[0], Dtype::fp8)->rate.value.base() == doctest::Approx(1.98e15));
    CHECK(find_peak(chips[1], Dtype::fp8)->rate.value.base() == doctest::Approx(296e12));
    CHECK(find_peak(chips[2], Dtype::fp8) == nullptr);
    CHECK(find_peak(chips[3], Dtype::fp8) == nullptr);
    CHECK(chips[3].price.estimate);
    CHECK_FALSE(chips[0].price.estimate);
  }

  TEST_CASE("layers of a repeated pattern add up by kind") {
    const ModelSpec llama = load_models({"llama-4-maverick"}).front();
    CHECK(layer_count(llama) == 48);
    REQUIRE(llama.layer_kinds.size() == 3);
    CHECK(llama.layer_kinds[0].layers == 24);  // chunked/dense
    CHECK(llama.layer_kinds[1].layers == 12);  // chunked/moe
    CHECK(llama.layer_kinds[2].layers == 12);  // full/moe
    CHECK(main_layer_kind(llama).layers == 24);
  }

  TEST_CASE("a run reads the same entry once, and anew with other values") {
    ReadOnce files;
    const Edits edits = {{.entry = "h800", .path = "memory.bandwidth", .value = "4 TB/s"}};
    const HardwareSpec& plain = files.chip("h800", {});
    const HardwareSpec& edited = files.chip("h800", edits);
    CHECK(&files.chip("h800", {}) == &plain);
    CHECK(&files.chip("h800", edits) == &edited);
    CHECK(plain.memory_bandwidth.value / TB_per_s == doctest::Approx(3.35));
    CHECK(edited.memory_bandwidth.value / TB_per_s == doctest::Approx(4));
    CHECK(&files.engine("vllm", {}) == &files.engine("vllm", {}));
    CHECK(files.engine("sglang", {}).name == "sglang");
    CHECK(&files.calibrations("") == &files.calibrations(""));
    CHECK(files.calibrations("").read.size() == list_calibrations().size());
    CHECK(files.calibrations("h200").read.size() == 1);
    CHECK(files.calibrations("none").read.empty());
  }
}
