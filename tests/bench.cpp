// Speed as rates and ratios; nothing here can fail a test. `cmake --build --preset bench` runs it.
#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <string>

#include "ideal/ideal.hpp"
#include "load/library.hpp"
#include "search/explore.hpp"

using namespace afford;

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Counting and pricing with terms and roofs compiled once for each model and chip.
void bench_evaluations() {
  const auto models = load_models({"all"});
  const auto chips = load_hardware({"h800", "h20", "a800", "910b"});
  std::vector<DecodeTerms> terms;
  std::vector<std::vector<Roofs>> roof;
  for (const ModelSpec& model : models) {
    terms.push_back(decode_terms(model, Convention::paper, {}));
    roof.emplace_back();
    for (const HardwareSpec& chip : chips) roof.back().push_back(roofs(chip, model.precision));
  }
  constexpr std::int64_t rounds = 1'000'000;
  double sum = 0;
  const auto start = Clock::now();
  for (std::int64_t i = 0; i < rounds; ++i) {
    const double context = static_cast<double>(1024 + i % 100'000);
    for (size_t m = 0; m < models.size(); ++m) {
      const size_t c = static_cast<size_t>(i) % chips.size();
      sum += ideal_cost(terms[m], context, roof[m][c], chips[c].price.value).cost.total().base();
    }
  }
  const double elapsed = seconds_since(start);
  const double count = static_cast<double>(rounds) * static_cast<double>(models.size());
  fmt::print(
      "counting and pricing: {:.1f} million evaluations a second and core ({:.0f} ns each; mean "
      "{:.3g} "
      "USD/Mtok)\n",
      count / elapsed / 1e6, elapsed / count * 1e9, sum / count / usd_per_mtok.base());
}

/// Complete deployments in closed form, and the event simulation of one step.
void bench_deployments() {
  const ModelSpec model = load_models({"step-3"}).front();
  const auto shapes = layer_shapes(model);
  const auto chips = load_hardware({"h800", "h20"});
  const Setting setting{.model = &model, .shapes = &shapes};
  Disaggregated d{
      .attention = {chips.data(), 2, 8}, .ffn = {&chips[1], 2, 8}, .batch = 0, .micro_batches = 3};
  d.ffn_split = resolved({}, d.ffn, model);
  constexpr int rounds = 300'000, steps = 2000;
  double sum = 0;
  auto start = Clock::now();
  for (int i = 0; i < rounds; ++i) {
    d.batch = 48 + 3 * (i % 4000);
    sum += evaluate(d, setting).tpot.base();
  }
  const double closed = seconds_since(start) / rounds;
  const Evaluation e = evaluate(d, setting);
  start = Clock::now();
  sum += simulate_pipeline({std::span(e.runs.data(), e.runs.size()), e.head, 3}, {}, steps)
             .mean.base();
  const double events = seconds_since(start) / steps;
  fmt::print(
      "deployments: {:.2f} us each in closed form, {:.0f} us a simulated step of 61 layers ({:.0f} "
      "x; sum "
      "{:.3g})\n",
      closed * 1e6, events * 1e6, events / closed, sum);
}

double own_cpu() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

long peak_memory_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

/// A search over ever more batch sizes: candidates, those evaluated in full (the others are larger
/// batches of pools that are known not to hold them), and the time of all cores.
void bench_search(const std::string& name) {
  const ModelSpec model = load_models({name}).front();
  const auto shapes = layer_shapes(model);
  const auto chips = load_hardware({"h800", "h20", "a800", "910b"});
  Setting setting;
  setting.model = &model, setting.shapes = &shapes, setting.context = 8192;
  Space space;
  space.chips = &chips;
  space.attention_splits = {AttentionSplit::shared_output, AttentionSplit::tensor};
  for (const int steps : {4, 16, 64, 256}) {
    space.batch_steps = steps;
    const double cpu = own_cpu();
    const auto start = Clock::now();
    const Explored found = explore(space, setting, {});
    const double elapsed = seconds_since(start), spent = own_cpu() - cpu;
    const auto tried = static_cast<double>(found.tally.tried),
               full = static_cast<double>(found.evaluated);
    fmt::print(
        "search, {} at 8K: {:>6.1f} million candidates, {:>6.1f} evaluated in full, {:.2f} s, "
        "{:.1f} million "
        "evaluations a second and core, {} on the frontier, peak memory {} MiB\n",
        name, tried / 1e6, full / 1e6, elapsed, full / spent / 1e6, found.frontier.points().size(),
        peak_memory_mib());
  }
}

double child_cpu() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// A command as a whole process, the shell that starts it included.
double process_cpu(const std::string& command) {
  constexpr int runs = 20;
  const double before = child_cpu();
  for (int i = 0; i < runs; ++i) {
    if (std::system((command + " >/dev/null").c_str()) != 0) fmt::print("failed: {}\n", command);
  }
  return (child_cpu() - before) / runs;
}

}  // namespace

int main(int argc, char** argv) {
  bench_evaluations();
  bench_deployments();
  bench_search("step-3");
  bench_search("deepseek-v3");
  if (argc < 2) return 0;
  const std::string afford = argv[1];
  const double nothing = process_cpu("true");
  const double version = process_cpu(afford + " --version");
  const double study = process_cpu(
      afford +
      " cost -m "
      "step-3,deepseek-v3,kimi-k2,qwen3-moe,qwen3-32b,llama-4-maverick,minimax-m1,ernie-4.5,"
      "pangu-pro-moe --on h800,h20,a800,910b -c 8k,32k");
  fmt::print(
      "whole process, 9 models x 4 chips x 2 contexts: {:.1f} ms CPU ({:.1f} x --version, {:.1f} x "
      "an empty "
      "shell)\n",
      study * 1e3, study / version, study / nothing);
  return 0;
}
