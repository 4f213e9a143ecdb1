// Commands as a user starts them: whole processes, on all cores.
#include <fmt/format.h>

#include "bench/figures.hpp"
#include "bench/measure.hpp"

namespace afford::bench {
namespace {

using Words = std::vector<std::string>;

struct Command {
  std::string figure, of;
  int runs;
  Words words;
};

/// The longest are those of the README and of docs/.
const Command commands[] = {
    {"version_ms", "start-up alone", 21, {"--version"}},
    {"compare_ms",
     "9 models x 4 chips x 2 contexts",
     21,
     {"compare", "-m",
      "step-3,deepseek-v3,kimi-k2,qwen3-moe,qwen3-32b,llama-4-maverick,minimax-m1,ernie-4.5,"
      "pangu-pro-moe",
      "--on", "h800,h20,a800,910b", "-c", "8k,32k"}},
    {"simulate_ms",
     "deepseek-v3 as TP8 on h200, calibrated",
     21,
     {"simulate", "-m", "deepseek-v3", "--colocated", "h200:1x8", "--tp", "8", "--batch", "48",
      "-c", "8k"}},
    {"simulate_afd_ms",
     "step-3 as 2A2F on h800, calibrated",
     21,
     {"simulate", "-m", "step-3", "--attention", "h800:2x8", "--ffn", "h800:2x8", "--batch", "3072",
      "-c", "4k"}},
    {"validate_ms", "every published measurement", 11, {"validate"}},
    {"plan_ms", "reports/chat-50.yaml", 3, {"plan", "reports/chat-50.yaml"}}};

}  // namespace

void measure_processes(Figures& figures, const std::string& afford) {
  for (const Command& command : commands) {
    Words words{afford};
    words.insert(words.end(), command.words.begin(), command.words.end());
    const Usage usage = quickest_process(command.runs, words);
    figures.add({command.figure, 1e3 * usage.cpu_s,
                 fmt::format("process, CPU; {}; {:.1f} MiB", command.of, usage.peak_mib)});
  }
}

}  // namespace afford::bench
