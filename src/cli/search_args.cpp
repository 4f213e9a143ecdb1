#include "cli/search_args.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/choose.hpp"
#include "text/number.hpp"

namespace afford::cli {
namespace {

std::vector<std::int64_t> counts(const std::vector<std::string>& texts, std::string_view flag,
                                 std::int64_t most) {
  std::vector<std::int64_t> values;
  for (const std::string& text : texts) {
    const auto value = parse_integer(text);
    if (!value || *value < 1 || *value > most)
      throw UsageError(
          fmt::format("{}: expected whole numbers from 1 to {}, got '{}'", flag, most, text));
    add_new(values, *value, flag, text);
  }
  return values;
}

std::vector<study::Inventory> inventory_of(const SearchArgs& args) {
  std::vector<study::Inventory> inventory;
  for (const std::string& text : args.inventory) {
    const size_t equals = text.find('=');
    const auto count = equals == std::string::npos
                           ? std::nullopt
                           : parse_integer(std::string_view(text).substr(equals + 1));
    if (!count || *count < 0 || *count > study::most_gpus) {
      throw UsageError(
          fmt::format("--inventory: expected CHIP=ACCELERATORS such as h20=64, got '{}'", text));
    }
    const std::string chip = text.substr(0, equals);
    for (const study::Inventory& other : inventory) {
      if (other.chip == chip) throw UsageError(fmt::format("--inventory: {} a second time", chip));
    }
    inventory.push_back({.chip = chip, .accelerators = *count});
  }
  return inventory;
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
  std::vector<int> list;
  const std::string_view flag = args.stage_list.empty() ? "--micro-batches" : "--stages";
  for (const std::int64_t n : counts(texts, flag, most)) list.push_back(static_cast<int>(n));
  return list;
}

template <class T, size_t N>
std::vector<T> choose_all(const std::pair<std::string_view, T> (&names)[N],
                          const std::vector<std::string>& texts, std::string_view flag) {
  std::vector<T> values;
  for (const std::string& text : texts) add_new(values, choose(names, text, flag), flag, text);
  return values;
}

/// What is asked of pools that are not searched would be dropped.
void refuse_flags_of_pools(const Verb& parsed, const SearchArgs& args) {
  const auto searched = [&](std::string_view way) {
    return std::find(args.ways.begin(), args.ways.end(), way) != args.ways.end();
  };
  if (args.ways.empty() || searched("afd")) return;
  for (const char* flag : {"--instance-sizes", "--micro-batches", "--stages",
                           "--attention-parallelism", "--ffn-parallelism", "--split", "--place"}) {
    if (parsed.given(flag))
      throw UsageError(fmt::format("{} is for AFD pools, and --ways leaves them out", flag));
  }
  const bool one_server = !searched("ep") && !searched("mixed");
  for (const char* flag : {"--nic-bandwidth", "--overlap"}) {
    if (one_server && parsed.given(flag))
      throw UsageError(
          fmt::format("{} has no effect inside a server, where --ways tp stays", flag));
  }
  if (!searched("ep") && parsed.given("--redundant-experts"))
    throw UsageError("--redundant-experts is for experts that are spread: --ways afd or ep");
}

}  // namespace

void add_search(Verb& verb, SearchArgs& args) {
  verb.texts("--on", args.hardware, "Chips by name or path; all", "CHIP,..");
  add_what_ifs(verb, args);
  verb.integer("--max-gpus", args.max_gpus, "Most accelerators of a deployment");
  verb.texts("--inventory", args.inventory, "Most accelerators of a chip, such as h20=64",
             "CHIP=N,..");
  verb.texts(
      "--ways", args.ways,
      "afd: two pools; ep: co-located, experts spread; tp: co-located, sharded; mixed: co-located, "
      "attention one way and experts another, over servers, in stages; left out: afd, ep and tp, "
      "and mixed too where none of these will do",
      "WAY,..");
  verb.texts("--instance-sizes", args.instance_sizes,
             "Accelerators of an instance of the AFD pools; left out: a server", "N,..");
  verb.texts("--micro-batches", args.micro_batch_list,
             "Micro-batches of AFD in flight; left out: 2,3,4", "N,..");
  verb.texts("--stages", args.stage_list, "Instead: as many as stages of the pipeline, 3 or 4",
             "N,..");
  verb.texts("--attention-parallelism", args.attention_splits,
             "Inside an attention instance: dp, tp", "dp|tp,..");
  verb.texts(
      "--split", args.boundaries,
      "Where AFD cuts a layer: attention (with its projections), core (core attention alone); left "
      "out: where its engine can",
      "attention|core,..");
  add_places(verb, args.places);
  verb.text("--ffn-parallelism", args.ffn_parallelism,
            "Only tp, ep or tpXepY; left out: every split", "SPLIT");
  verb.integer("--batch-steps", args.batch_steps,
               "Batch sizes tried from one power of two to the next (small ones one by one)");
  add_conditions(verb, args);
  verb.integer("--threads", args.threads,
               "Threads (0: every core); the result does not depend on it");
  verb.before([&args](const Verb& parsed) { refuse_flags_of_pools(parsed, args); });
}

study::SearchRequest search_request(const SearchArgs& args) {
  constexpr std::pair<std::string_view, AttentionSplit> splits[] = {
      {"dp", AttentionSplit::shared_output}, {"tp", AttentionSplit::tensor}};
  const SplitChoice ffn = parse_split(args.ffn_parallelism);
  return {conditions_of(args),
          args.hardware,
          inventory_of(args),
          args.max_gpus,
          counts(args.instance_sizes, "--instance-sizes", study::most_gpus),
          choose_all(way_names, args.ways, "--ways"),
          micro_batches_of(args),
          choose_all(splits, args.attention_splits, "--attention-parallelism"),
          choose_all(boundary_names, args.boundaries, "--split"),
          parse_places(args.places),
          ffn.choice,
          ffn.split,
          args.batch_steps,
          choose(objective_names, args.objective, "--objective"),
          args.threads};
}

Shard parse_shard(const std::string& text) {
  constexpr std::int64_t most = 1'000'000;
  const size_t slash = text.find('/');
  if (slash != std::string::npos) {
    const auto index = parse_integer(text.substr(0, slash));
    const auto of = parse_integer(text.substr(slash + 1));
    if (index && of && *index >= 1 && *index <= *of && *of <= most)
      return {static_cast<std::uint64_t>(*index - 1), static_cast<std::uint64_t>(*of)};
  }
  throw UsageError(
      fmt::format("--shard: expected I/N such as 3/8, the third of eight parts, got '{}'", text));
}

}  // namespace afford::cli
