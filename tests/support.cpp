#include "support.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "error.hpp"
#include "load/readers.hpp"

namespace afford::test {

const std::string_view model_yaml = R"(schema: 1
name: tiny
title: Tiny
sources:
  card: {what: "a card", date: 2025-07}
shape: {source: card, hidden: 256, vocab: 1000, tied_embeddings: false}
attention:
  gqa: {source: card, kind: gqa, query_heads: 8, kv_heads: 2, head_dim: 64}
ffn:
  moe:
    source: card
    kind: moe
    experts: 16
    active: 2
    intermediate: 512
    shared_experts: 1
layers:
  source: card
  stack:
    - {repeat: 4, pattern: [gqa/moe]}
precision:
  source: card
  attention_weights: fp8
  ffn_weights: fp8
  kv: fp8
  attention_compute: fp8
  linear_compute: fp8
  ffn_compute: fp8
)";

const std::string_view hardware_yaml = R"(schema: 1
name: chip
title: Chip
sources:
  sheet: {what: "a sheet", date: 2025}
peak:
  bf16: {value: 100 TFLOP/s, source: sheet}
memory:
  size: {value: 80 GB, source: sheet}
  bandwidth: {value: 2 TB/s, source: sheet}
scale_up:
  kind: wire
  bandwidth: {value: 100 GB/s, source: sheet}
  accelerators: {value: 8, source: sheet}
server:
  accelerators: {value: 8, source: sheet}
  nics: {value: 8, source: sheet}
  nic_bandwidth: {value: 400 Gbit/s, source: sheet}
power: {value: 400 W, source: sheet}
price: {value: 1.00 USD/h, source: sheet}
)";

TempFolder::TempFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "afford-test-XXXXXX").string();
  REQUIRE(mkdtemp(name.data()) != nullptr);
  folder_ = name;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string TempFolder::file(const std::string& name, std::string_view content) const {
  std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
  std::ofstream(path(name), std::ios::binary) << content;
  return path(name);
}

size_t TempFolder::entries() const {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_)) ++count;
  return count;
}

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

Outcome run_afford(const std::string& arguments, const std::string& environment) {
  const TempFolder folder;
  const std::string out = folder.path("out"), err = folder.path("err");
  const int status = std::system(
      fmt::format("{} {} {} >{} 2>{}", environment, AFFORD_BINARY, arguments, out, err).c_str());
  return {.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
          .out = read_file(out),
          .err = read_file(err)};
}

Op operation(const OpList& ops, std::string_view name) {
  for (const Op& op : ops) {
    if (op.name == name) return op;
  }
  CAPTURE(name);
  FAIL("no operation of this name");
  return {};
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string result(text);
  const size_t at = result.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, "the fixture has no: " << std::string(from));
  return result.replace(at, from.size(), to);
}

ModelSpec parse_model(std::string_view text) {
  return read_model(yaml::parse(text, "m.yaml"), "m.yaml");
}
HardwareSpec parse_hardware(std::string_view text) {
  return read_hardware(yaml::parse(text, "h.yaml"), "h.yaml");
}

std::string model_error(std::string_view text) {
  try {
    (void)parse_model(text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

std::string hardware_error(std::string_view text) {
  try {
    (void)parse_hardware(text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

std::vector<std::vector<std::string>> parse_csv(const std::string& text) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    rows.emplace_back();
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, ',');) rows.back().push_back(cell);
  }
  return rows;
}

std::string printed_scientific(double value) { return fmt::format("{:.2e}", value); }
std::string printed_fixed(double value, int decimals) {
  return fmt::format("{:.{}f}", value, decimals);
}

}  // namespace afford::test
