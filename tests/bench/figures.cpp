#include "bench/figures.hpp"

#include <fmt/format.h>

#include <fstream>
#include <stdexcept>
#include <thread>

#include "text/csv.hpp"
#include "text/date.hpp"
#include "text/escape.hpp"
#include "text/file.hpp"
#include "text/number.hpp"

namespace afford::bench {
namespace {

/// As Linux has it; "unknown" where it does not say.
std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  constexpr std::string_view key = "model name";
  for (std::string line; std::getline(info, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with(key) && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

}  // namespace

Figures::Figures(const std::string& kept) {
  constexpr size_t most = size_t{1} << 20;
  if (!std::ifstream(kept)) return;
  CsvReader reader(kept, read_whole(kept, most, "kept figures"));
  std::string machine;
  while (const auto row = reader.next()) {
    if (row->fields.size() != 5) throw std::runtime_error(kept + ": expected five columns");
    if (const auto value = parse_real(row->fields[1].text)) kept_[row->fields[0].text] = *value;
    machine = fmt::format("{}, {}", row->fields[3].text, row->fields[4].text);
  }
  fmt::print("kept: {}\nnow:  {}, {} cores\n", machine, processor(),
             std::thread::hardware_concurrency());
}

void Figures::add(Figure figure) {
  const auto kept = kept_.find(figure.name);
  const std::string ratio =
      kept == kept_.end() ? "new" : fmt::format("{:.2f}", figure.value / kept->second);
  fmt::print("{:<34}{:>12.4g}{:>8}  {}\n", figure.name, figure.value, ratio, figure.of);
  std::fflush(stdout);
  figures_.push_back(std::move(figure));
}

void Figures::write(const std::string& file) const {
  std::ofstream out(file);
  out << "figure,value,of,machine,date\n";
  const std::string machine =
      fmt::format("{}; {} cores", processor(), std::thread::hardware_concurrency());
  for (const Figure& figure : figures_) {
    out << fmt::format("{},{:.4g},{},{},{}\n", figure.name, figure.value, csv_text(figure.of),
                       csv_text(machine), today());
  }
}

}  // namespace afford::bench
