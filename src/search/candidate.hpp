#pragma once
// One deployment of a search, and the bounds all of them keep.

#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "deploy/simulate.hpp"
#include "search/frontier.hpp"
#include "search/whole_requests.hpp"

namespace afford {

/// AFD, everything on one pool with experts spread over it, or with every matrix sharded in a
/// server, or in every other layout: attention one way and experts another, TP over servers,
/// pipeline stages.
enum class Way { disaggregated, expert_parallel, tensor_parallel, mixed };
inline constexpr std::pair<std::string_view, Way> way_names[] = {{"afd", Way::disaggregated},
                                                                 {"ep", Way::expert_parallel},
                                                                 {"tp", Way::tensor_parallel},
                                                                 {"mixed", Way::mixed}};
[[nodiscard]] constexpr std::string_view name_of(Way way) {
  return way_names[static_cast<int>(way)].first;
}

/// Which splits of an FFN pool are tried: every one, tensor parallel in each instance with
/// instances as replicas, experts over every accelerator, or one given.
enum class FfnChoice { any, tensor, expert, exact };

/// The bounds of a search. Counts are accelerators unless said otherwise.
struct Space {
  const std::vector<HardwareSpec>* chips = nullptr;
  std::vector<std::int64_t> inventory;       // of each chip; empty: no limit
  std::int64_t max_gpus = 128;               // of a deployment
  std::vector<std::int64_t> instance_sizes;  // of AFD pools; empty: the chip's whole server
  std::vector<int> micro_batches{2, 3, 4};
  std::vector<int> colocated_micro_batches{1, 2};
  std::vector<AttentionSplit> attention_splits{AttentionSplit::shared_output};
  std::vector<Boundary> boundaries{Boundary::attention};
  Places places;  // of AFD; else than by default only where Boundary::attention is the only one
  FfnChoice ffn_choice = FfnChoice::any;
  FfnSplit ffn_split;  // FfnChoice::exact
  std::vector<Way> ways{Way::disaggregated, Way::expert_parallel, Way::tensor_parallel};
  int batch_steps = 16;  // batches in each octave: 1 to 32 one by one, then 34, 36 ... 64, 68 ...
  std::optional<WholeRequests> requests{};  // none: deployments decode what comes worked off
};

/// Where the prompts of what a deployment decodes are worked off. Left out: in a search that does
/// not count them.
enum class Prompts { left_out, apart, beside_tokens };

/// A deployment in few bytes. Chips are indices into Space::chips; `ffn` is unused when co-located.
struct Candidate : Scored {
  struct Side {
    std::uint32_t chip = 0, instances = 0, accelerators = 0;
    [[nodiscard]] std::int64_t size() const { return std::int64_t{instances} * accelerators; }
  };
  Way way = Way::disaggregated;
  Side attention, ffn;
  AttentionSplit attention_split = AttentionSplit::shared_output;
  Boundary boundary = Boundary::attention;
  Places places;
  std::uint32_t tensor = 0, expert = 0;  // of the FFN; co-located: ways of TP
  std::uint32_t attention_tensor = 0, context_ways = 1, stages = 0;  // mixed
  int micro_batches = 0;
  std::int64_t batch = 0;  // AFD: in all; co-located: an accelerator; mixed: an attention replica
  Prompts prompts = Prompts::left_out;
  std::uint32_t prompt_pool = 0;  // Prompts::apart: among those of the requests
  double ttft_ms = 0;             // where prompts count
  Seconds step;                   // of the pipeline
};

/// Of attention and FFN; of a co-located candidate the one twice, apart from AFD.
using ChipsOf = std::tuple<bool, std::uint32_t, std::uint32_t>;
[[nodiscard]] inline ChipsOf chips_of(const Candidate& c) {
  const bool afd = c.way == Way::disaggregated;
  return {afd, c.attention.chip, afd ? c.ffn.chip : c.attention.chip};
}

/// Candidates that each deployment of a way makes: by where its prompts are worked off.
[[nodiscard]] std::uint64_t prompt_forms(const Space& space, Way way);
[[nodiscard]] Disaggregated disaggregated(const Candidate& candidate, const Space& space);
[[nodiscard]] Colocated colocated(const Candidate& candidate, const Space& space);
[[nodiscard]] AnyDeployment deployment_of(const Candidate& candidate, const Space& space);
[[nodiscard]] Evaluation evaluate(const Candidate& candidate, const Space& space,
                                  const Setting& setting);
[[nodiscard]] Goals goals_of(const StepOutcome& outcome);
/// Of its tokens, prompts left out, by its step and the prices of the space: what evaluate() says,
/// to the last bit.
[[nodiscard]] UsdPerToken cost_of(const Candidate& candidate, const Space& space,
                                  const Setting& setting);

/// By their numbers, ascending, each number once.
[[nodiscard]] std::vector<Candidate> each_once(std::vector<Candidate> list);

/// Of a co-located candidate.
[[nodiscard]] Layout layout_of(const Candidate& candidate);

/// "3A2F", "3A2F,core" where it is cut at the core, "3A2F,shared=attention", "EP32", "TP8",
/// "TP8DP2+EP16".
[[nodiscard]] std::string label(const Candidate& candidate);

/// "tp8ep2", "ep32", "tp8", "tp8dp2+ep16,pp2".
[[nodiscard]] std::string parallelism(const Candidate& candidate);

}  // namespace afford
