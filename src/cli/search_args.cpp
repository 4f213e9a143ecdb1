#include "cli/search_args.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/choose.hpp"
#include "load/calibrations.hpp"
#include "text/number.hpp"
#include "text/suggest.hpp"

namespace afford::cli {
namespace {

constexpr std::int64_t most_gpus = 4096;

std::vector<std::int64_t> counts(const std::vector<std::string>& texts, std::string_view flag,
                                 std::int64_t most) {
  std::vector<std::int64_t> values;
  for (const std::string& text : texts) {
    const auto value = parse_integer(text);
    if (!value || *value < 1 || *value > most)
      throw UsageError(
          fmt::format("{}: expected whole numbers from 1 to {}, got '{}'", flag, most, text));
    if (std::find(values.begin(), values.end(), *value) == values.end()) values.push_back(*value);
  }
  return values;
}

std::vector<std::int64_t> inventory_of(const SearchArgs& args,
                                       const std::vector<HardwareSpec>& chips) {
  if (args.inventory.empty()) return {};
  std::vector<std::int64_t> inventory(chips.size(), most_gpus);
  std::vector<std::string> names;
  for (const HardwareSpec& chip : chips) names.push_back(chip.name);
  for (const std::string& text : args.inventory) {
    const size_t equals = text.find('=');
    const auto count = equals == std::string::npos
                           ? std::nullopt
                           : parse_integer(std::string_view(text).substr(equals + 1));
    if (!count || *count < 0 || *count > most_gpus) {
      throw UsageError(
          fmt::format("--inventory: expected CHIP=ACCELERATORS such as h20=64, got '{}'", text));
    }
    const std::string name = text.substr(0, equals);
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end()) {
      throw UsageError(fmt::format("--inventory: '{}' is not among the chips of this run{}", name,
                                   suggestion(name, names)));
    }
    inventory[static_cast<size_t>(at - names.begin())] = *count;
  }
  return inventory;
}

void set_ffn_choice(Space& space, const std::string& text) {
  if (text.empty()) return;
  if (text == "tp") {
    space.ffn_choice = FfnChoice::tensor;
  } else if (text == "ep") {
    space.ffn_choice = FfnChoice::expert;
  } else if (const auto split = parse_exact_split(text)) {
    space.ffn_choice = FfnChoice::exact;
    space.ffn_split = *split;
  } else {
    throw UsageError(
        fmt::format("--ffn-parallelism: expected tp, ep or tpXepY such as tp8ep2, got '{}'", text));
  }
}

std::vector<int> micro_batches_of(const SearchArgs& args) {
  constexpr std::int64_t most = 64;
  if (!args.micro_batch_list.empty() && !args.stage_list.empty())
    throw UsageError("--stages and --micro-batches say the same thing; give one of them");
  std::vector<std::string> texts = args.micro_batch_list;
  for (const std::string& stages : args.stage_list) {
    if (stages != "3" && stages != "4")
      throw UsageError(fmt::format("--stages: expected 3 or 4, got '{}'", stages));
    texts.push_back(stages);
  }
  if (texts.empty()) texts = {"2", "3", "4"};
  std::vector<int> list;
  for (const std::int64_t n : counts(texts, "--micro-batches", most))
    list.push_back(static_cast<int>(n));
  return list;
}

}  // namespace

void add_search(Verb& verb, SearchArgs& args) {
  verb.texts("--on", args.hardware, "Chips by name or path; all", "CHIP,..");
  add_what_ifs(verb, args);
  verb.integer("--max-gpus", args.max_gpus, "Most accelerators of a deployment");
  verb.texts("--inventory", args.inventory, "Most accelerators of a chip, such as h20=64",
             "CHIP=N,..");
  verb.texts("--ways", args.ways,
             "afd: two pools; ep: co-located, experts spread; tp: co-located, sharded", "WAY,..");
  verb.texts("--instance-sizes", args.instance_sizes,
             "Accelerators of an instance of the AFD pools; left out: a server", "N,..");
  verb.texts("--micro-batches", args.micro_batch_list,
             "Micro-batches of AFD in flight; left out: 2,3,4", "N,..");
  verb.texts("--stages", args.stage_list, "Instead: as many as stages of the pipeline, 3 or 4",
             "N,..");
  verb.texts("--attention-parallelism", args.attention_splits,
             "Inside an attention instance: dp, tp", "dp|tp,..");
  verb.text("--ffn-parallelism", args.ffn_parallelism,
            "Only tp, ep or tpXepY; left out: every split", "SPLIT");
  verb.integer("--batch-steps", args.batch_steps,
               "Batch sizes tried from one power of two to the next (small ones one by one)");
  add_conditions(verb, args);
  verb.text("--objective", args.objective,
            "Against TPOT: tokens (a second and GPU), usd (per 1M tokens) or both", "WHICH");
  verb.integer("--threads", args.threads,
               "Threads (0: every core); the result does not depend on it");
}

std::vector<HardwareSpec> chips_of(const SearchArgs& args) {
  std::vector<HardwareSpec> chips = load_hardware(args.hardware);
  std::vector<HardwareSpec*> pointers;
  for (HardwareSpec& chip : chips) {
    apply_bandwidths(chip, args);
    pointers.push_back(&chip);
  }
  apply_prices(pointers, args.prices);
  attach_calibrations(pointers, args.calibration);
  return chips;
}

std::string prices_text(const std::vector<HardwareSpec>& chips) {
  std::string text = "Prices, USD/h:";
  for (const HardwareSpec& chip : chips) {
    text += fmt::format("{} {} {:.2f}{}", &chip == chips.data() ? "" : ",", chip.name,
                        chip.price.value / usd_per_hour, chip.price.estimate ? " (estimate)" : "");
  }
  return text + ".";
}

Objective objective_of(const SearchArgs& args) {
  return choose(objective_names, args.objective, "--objective");
}

Space space_of(const SearchArgs& args, const std::vector<HardwareSpec>& chips) {
  constexpr int most_steps = 1024, most_threads = 4096;
  constexpr std::pair<std::string_view, AttentionSplit> splits[] = {
      {"dp", AttentionSplit::shared_output}, {"tp", AttentionSplit::tensor}};
  if (args.max_gpus < 1 || args.max_gpus > most_gpus)
    throw UsageError(fmt::format("--max-gpus: expected 1 to {}, got {}", most_gpus, args.max_gpus));
  if (args.batch_steps < 1 || args.batch_steps > most_steps)
    throw UsageError(
        fmt::format("--batch-steps: expected 1 to {}, got {}", most_steps, args.batch_steps));
  if (args.threads < 0 || args.threads > most_threads)
    throw UsageError(
        fmt::format("--threads: expected 0 to {}, got {}", most_threads, args.threads));
  Space space{.chips = &chips,
              .inventory = inventory_of(args, chips),
              .max_gpus = args.max_gpus,
              .instance_sizes = counts(args.instance_sizes, "--instance-sizes", most_gpus),
              .micro_batches = micro_batches_of(args),
              .attention_splits = {},
              .ways = {},
              .batch_steps = args.batch_steps};
  set_ffn_choice(space, args.ffn_parallelism);
  for (const std::string& text : args.attention_splits)
    space.attention_splits.push_back(choose(splits, text, "--attention-parallelism"));
  for (const std::string& text : args.ways) space.ways.push_back(choose(way_names, text, "--ways"));
  return space;
}

std::string grouped(std::uint64_t number) {
  std::string digits = fmt::format("{}", number);
  for (auto at = std::ssize(digits) - 3; at > 0; at -= 3)
    digits.insert(static_cast<size_t>(at), ",");
  return digits;
}

std::string tally_text(const Tally& t, Seconds tpot_limit) {
  return fmt::format(
      "{} candidates: {} feasible, {} above {}, {} without room in attention memory, {} in FFN "
      "memory",
      grouped(t.tried), grouped(t.feasible), grouped(t.slow), human(tpot_limit),
      grouped(t.attention_memory), grouped(t.ffn_memory));
}

}  // namespace afford::cli
