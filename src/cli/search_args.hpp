#pragma once
// The bounds of a search on the command line.

#include "cli/deployment_args.hpp"
#include "study/search.hpp"

namespace afford::cli {

struct SearchArgs : ConditionArgs {
  std::vector<std::string> inventory, instance_sizes, ways, micro_batch_list, stage_list,
      attention_splits{"dp", "tp"}, boundaries;
  std::string objective = "tokens", ffn_parallelism, places;
  int max_gpus = 128, batch_steps = 16, threads = 0;
};
void add_search(Verb& verb, SearchArgs& args);
/// Throws UsageError.
[[nodiscard]] study::SearchRequest search_request(const SearchArgs& args);

/// "3/8": the third of eight parts. Throws UsageError.
[[nodiscard]] Shard parse_shard(const std::string& text);

}  // namespace afford::cli
