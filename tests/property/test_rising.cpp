// More work never takes less time: every class of operation, in every format, on every chip, on its
// data sheet and on measured curves, under both kinds of engine.

#include <doctest/doctest.h>

#include <functional>

#include "kernels/attention_core.hpp"
#include "kernels/collective.hpp"
#include "kernels/dense.hpp"
#include "kernels/mlp.hpp"
#include "kernels/small.hpp"
#include "load/calibrations.hpp"
#include "load/library.hpp"

using namespace afford;

namespace {

/// Every chip that comes with afford, as its data sheet has it, or calibrated where it can be.
std::vector<HardwareSpec> chips(bool calibrated) {
  std::vector<HardwareSpec> all = load_hardware({"all"});
  std::vector<HardwareSpec*> pointers;
  for (HardwareSpec& chip : all) pointers.push_back(&chip);
  if (calibrated) attach_calibrations(pointers, "h200");
  return all;
}

constexpr Dtype formats[] = {Dtype::bf16, Dtype::fp8, Dtype::fp4, Dtype::int8};

/// The sizes tried: one by one as far as tiles are small, then in steps that hit both sides of the
/// larger ones.
std::vector<double> sizes() {
  std::vector<double> list;
  for (int n = 1; n <= 96; ++n) list.push_back(n);
  for (int n = 127; n <= 2100; n += 128) {
    for (const int beside : {0, 1, 2, 65}) list.push_back(n + beside);
  }
  return list;
}

using Timed = std::function<Op(double, Dtype, const Machine&)>;

Op dense_op(double rows, Dtype format, const Machine& machine) {
  return dense({.name = "dense",
                .rows = rows,
                .inputs = 7168,
                .outputs = 2304,
                .weights = format,
                .compute = format,
                .activations = size_of(format, rows * 7168)},
               machine);
}

Op experts_op(double rows, Dtype format, const Machine& machine, bool up) {
  const MlpWork work{
      .groups = {MlpGroup{
          .rows = 8 * rows, .mlps = 8, .intermediate = 2048, .inputs = 7168, .format = format}},
      .grouped = true,
      .compute = format};
  return up ? mlp_up(work, machine) : mlp_down(work, machine);
}

struct CoreOf {
  std::string model;
  double context = 0;
};
Op core_op(const CoreOf& core, double requests, Dtype format, const Machine& machine) {
  static const std::vector<ModelSpec> models = load_models({"qwen3-moe", "deepseek-v3", "step-3"});
  for (const ModelSpec& one : models) {
    if (one.name != core.model) continue;
    return attention_core(
        count_attention(one.attentions.back().shape, one.hidden, Convention::exact),
        {.requests = requests, .context = core.context, .cache = format, .compute = format},
        machine);
  }
  return {};
}

void check_rising(const std::string& name, const Timed& timed, bool calibrated = false) {
  const std::vector<HardwareSpec> all = chips(calibrated);
  static const std::vector<Engine> engines = load_engines({"ideal", "vllm"});
  for (const HardwareSpec& chip : all) {
    for (const Engine& engine : engines) {
      const Machine machine(chip, engine);
      for (const Dtype format : formats) {
        Seconds before;
        double worst = 1, at = 0;
        for (const double n : sizes()) {
          const Seconds time = timed(n, format, machine).time;
          if (before > Seconds(0) && time / before < worst) {
            worst = time / before;
            at = n;
          }
          before = time;
        }
        CAPTURE(name);
        CAPTURE(chip.name);
        CAPTURE(engine.name);
        CAPTURE(name_of(format));
        CAPTURE(at);
        // Another chip's roofs meet a measured curve elsewhere than those it was measured on.
        const bool transferred = chip.measured != nullptr && chip.measured->transferred;
        const double rounding = transferred ? 0.01 : 1e-9;
        CHECK(worst > 1 - rounding);
      }
    }
  }
}

}  // namespace

TEST_SUITE("property") {
  TEST_CASE("no operation's time falls when its tokens rise") {
    for (const bool calibrated : {false, true}) {
      check_rising("dense", dense_op, calibrated);
      check_rising(
          "gate, up",
          [](double rows, Dtype format, const Machine& machine) {
            return experts_op(rows, format, machine, true);
          },
          calibrated);
      check_rising(
          "down",
          [](double rows, Dtype format, const Machine& machine) {
            return experts_op(rows, format, machine, false);
          },
          calibrated);
    }
    for (const std::string model : {"qwen3-moe", "deepseek-v3", "step-3"}) {
      for (const double context : {1024.0, 4096.0}) {
        const auto core = [&](double requests, Dtype format, const Machine& machine) {
          return core_op({model, context}, requests, format, machine);
        };
        check_rising(model, core);
        check_rising(model, core, true);
      }
    }
    check_rising("small", [](double rows, Dtype, const Machine& machine) {
      return elementwise({.name = "small", .bytes = Bytes(14336 * rows)}, machine);
    });
    check_rising("all-reduce", [](double rows, Dtype, const Machine& machine) {
      return all_reduce({.name = "all-reduce", .vector = Bytes(14336 * rows), .group = {8, 1}},
                        machine);
    });
  }
}
