// Large spaces, long outputs and long traces: time, and memory that stays flat.
#include <fmt/format.h>
#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): mkdtemp is POSIX

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>

#include "bench/figures.hpp"
#include "bench/measure.hpp"

namespace afford::bench {
namespace {

using Words = std::vector<std::string>;
namespace fs = std::filesystem;

/// Emptied and removed at its end.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "afford-bench-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder for what is written");
    path_ = name;
  }
  ~Folder() {
    std::error_code none;
    fs::remove_all(path_, none);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

Words search_of(const std::string& afford, const std::string& chips, const Words& more) {
  Words words{afford, "pareto", "-m",       "step-3", "--on",          chips,
              "-c",   "8k",     "--engine", "ideal",  "--calibration", "none"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

constexpr const char* four_chips = "h800,h20,a800,910b";

void measure_frontiers(Figures& figures, const std::string& afford) {
  const Usage large = quickest_process(1, search_of(afford, four_chips,
                                                    {"--max-gpus", "512", "--batch-steps", "64",
                                                     "--threads", "2", "--format", "csv"}));
  figures.add({"frontier_1.5e9_s", large.wall_s,
               "two cores, on the clock; 1.52e9 candidates of step-3, process"});
  figures.add({"frontier_1.5e9_mib", large.peak_mib, "its memory"});
}

void measure_sweeps(Figures& figures, const std::string& afford) {
  const Words one = search_of(afford, "h800,h20", {"--objective", "usd", "--format", "csv"});
  const double once = quickest_process(3, one).cpu_s;
  const auto searches = [&](const std::string& values) {
    Words swept = one;
    swept.insert(swept.end(), {"--sweep", values});
    return quickest_process(1, swept).cpu_s / once;
  };
  figures.add({"sweep_in_searches", searches("price.h20=0.51..1.5+0.01"),
               "CPU of a search at 100 prices by that of one; process"});
  figures.add(
      {"sweep_of_inventory_in_searches", searches("inventory.h20=8..128+8"),
       "CPU of a search with each of 16 inventories by that of one with the most; process"});
}

std::int64_t rows_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return std::count(std::istreambuf_iterator<char>(in), {}, '\n') - 1;
}

void measure_all_rows(Figures& figures, const std::string& afford) {
  const Folder folder;
  for (const char* gpus : {"32", "64"}) {
    const std::string file = folder.file("all.csv");
    const Usage usage = quickest_process(
        1, search_of(afford, four_chips,
                     {"--max-gpus", gpus, "--all", "--format", "csv", "-o", file}));
    const auto rows = static_cast<double>(rows_of(file));
    const std::string of = fmt::format("process; {:.3g} M rows to a file", rows / 1e6);
    figures.add({fmt::format("all_row_ns_{}_gpus", gpus), 1e9 * usage.cpu_s / rows,
                 "all cores' CPU, " + of});
    figures.add({fmt::format("all_mib_{}_gpus", gpus), usage.peak_mib, of});
  }
}

/// Poisson arrivals, log-normal lengths: the traffic of reports/chat-50.yaml as a trace.
void write_trace(const std::string& file, int requests) {
  std::mt19937_64 random(1);
  std::exponential_distribution<double> gap(50);
  std::lognormal_distribution<double> prompt(9, 0.9), output(6.4, 0.8);
  std::ofstream out(file);
  out << "arrival_s,prompt_tokens,output_tokens\n";
  double now = 0;
  for (int i = 0; i < requests; ++i) {
    now += gap(random);
    out << fmt::format("{:.3f},{},{}\n", now, 1 + static_cast<int>(std::min(prompt(random), 65e3)),
                       1 + static_cast<int>(std::min(output(random), 8e3)));
  }
}

void write_workload(const std::string& file, const std::string& trace) {
  std::ofstream(file) << "schema: 1\nname: bench\nmodel: step-3\ntraffic: {trace: " << trace
                      << ", peak_factor: 1.6, peak_hours: 8}\ntarget: {tpot: 50 ms}\nchips: {h800: "
                         "{limit: 256}, h20: {limit: 24}}\n";
}

void measure_traces(Figures& figures, const std::string& afford) {
  const Folder folder;
  constexpr int few = 100'000, many = 10'000'000;
  const auto planned = [&](int requests) {
    const std::string trace = folder.file("trace.csv"), workload = folder.file("workload.yaml");
    write_trace(trace, requests);
    write_workload(workload, trace);
    return quickest_process(2, {afford, "plan", workload});
  };
  const Usage small = planned(few), large = planned(many);
  figures.add({"plan_1e7_s", large.wall_s, "all cores, on the clock; plan on 1e7 requests"});
  figures.add({"plan_1e7_mib", large.peak_mib, "its memory"});
  figures.add({"plan_request_ns", 1e9 * (large.cpu_s - small.cpu_s) / (many - few),
               "CPU of each more request of a trace"});
}

}  // namespace

void measure_long_runs(Figures& figures, const std::string& afford) {
  measure_sweeps(figures, afford);
  measure_all_rows(figures, afford);
  measure_traces(figures, afford);
  measure_frontiers(figures, afford);
}

}  // namespace afford::bench
