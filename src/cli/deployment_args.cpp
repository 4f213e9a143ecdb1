#include "cli/deployment_args.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "cli/choose.hpp"
#include "error.hpp"
#include "text/number.hpp"

namespace afford::cli {
namespace {

constexpr std::int64_t most_accelerators = 65536;

std::optional<FfnSplit> parse_exact_split(const std::string& text) {
  const size_t ep = text.find("ep");
  if (!text.starts_with("tp") || ep == std::string::npos) return std::nullopt;
  const auto tensor = parse_integer(text.substr(2, ep - 2));
  const auto expert = parse_integer(text.substr(ep + 2));
  if (!tensor || !expert || *tensor < 1 || *expert < 1 || *tensor > most_accelerators ||
      *expert > most_accelerators) {
    return std::nullopt;
  }
  return FfnSplit{*tensor, *expert};
}

/// "2048,2048,1024": one size for each micro-batch.
std::vector<std::int64_t> parse_sizes(const std::string& text) {
  constexpr size_t most = 64;
  std::vector<std::int64_t> sizes;
  for (size_t from = 0; !text.empty() && from <= text.size();) {
    const size_t comma = std::min(text.find(',', from), text.size());
    const auto size = parse_integer(text.substr(from, comma - from));
    if (!size || *size < 1 || *size > 1'000'000'000 || sizes.size() == most) {
      throw UsageError(fmt::format(
          "--micro-batch-sizes: expected 1 to {} sizes, each at least 1, such as 2048,2048,1024, "
          "got '{}'",
          most, text));
    }
    sizes.push_back(*size);
    from = comma + 1;
  }
  return sizes;
}

study::RoutingChoice parse_routing(const std::string& text) {
  using Kind = study::RoutingChoice::Kind;
  if (text.empty()) return {};
  if (text == "uniform") return {.kind = Kind::uniform, .exponent = 0, .file = {}};
  if (text.starts_with("zipf:")) {
    const auto exponent = parse_real(text.substr(5));
    if (exponent && *exponent >= 0 && *exponent <= 10)
      return {.kind = Kind::zipf, .exponent = *exponent, .file = {}};
  }
  if (text.ends_with(".csv")) return {.kind = Kind::measured, .file = text};
  throw UsageError(fmt::format(
      "--routing: expected uniform, zipf:EXPONENT from 0 to 10, or FILE.csv, got '{}'", text));
}

std::optional<ByteRate> optional_rate(const std::string& text, std::string_view flag) {
  if (text.empty()) return std::nullopt;
  return positive<Dimension{.time = -1, .byte = 1}>(text, flag);
}

std::optional<double> optional_fraction(double given) {
  return std::isnan(given) ? std::nullopt : std::optional(given);
}

study::AfdRequest afd_request(const DeploymentArgs& args) {
  constexpr std::pair<std::string_view, AttentionSplit> splits[] = {
      {"dp", AttentionSplit::shared_output}, {"tp", AttentionSplit::tensor}};
  const SplitChoice ffn = parse_split(args.ffn_parallelism);
  study::AfdRequest request{
      .attention = parse_pool(args.attention, "--attention"),
      .ffn = parse_pool(args.ffn, "--ffn"),
      .batch = args.batch,
      .micro_batches = args.micro_batches,
      .stages = args.stages,
      .micro_batch_sizes = parse_sizes(args.micro_batch_sizes),
      .attention_split = choose(splits, args.attention_parallelism, "--attention-parallelism"),
      .ffn_choice = ffn.choice,
      .ffn_split = ffn.split,
      .boundary = choose(boundary_names, args.split, "--split"),
      .places = parse_places(args.places)};
  const std::vector<std::int64_t>& sizes = request.micro_batch_sizes;
  const std::int64_t sum = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
  if (!sizes.empty() && args.batch != 0 && args.batch != sum) {
    throw UsageError(fmt::format("--micro-batch-sizes: add up to {}, not to the {} of --batch", sum,
                                 args.batch));
  }
  return request;
}

study::ColocatedRequest colocated_request(const DeploymentArgs& args) {
  // Beside two pools --batch is theirs where --batch-per-gpu is given too.
  const bool own_batch = !args.attention.empty() && args.batch_per_gpu != 0;
  study::ColocatedRequest request{.pool = parse_pool(args.colocated, "--colocated"),
                                  .batch = own_batch ? 0 : args.batch,
                                  .batch_per_gpu = args.batch_per_gpu,
                                  .micro_batches = args.micro_batches,
                                  .tensor = args.tensor,
                                  .layout = std::nullopt};
  if (!args.parallelism.empty()) request.layout = parse_layout(args.parallelism);
  return request;
}

/// Flags of a co-located pool or of the two pools where there is none, and what says nothing more.
void refuse_flags_without_pool(const Verb& parsed) {
  for (const char* flag : {"--micro-batches", "--micro-batch-sizes"}) {
    if (parsed.given("--stages") && parsed.given(flag))
      throw UsageError(fmt::format("--stages has no effect beside {}, which says more", flag));
  }
  if (!parsed.given("--colocated") && parsed.given("--attention")) {
    for (const char* flag : {"--parallelism", "--tp", "--batch-per-gpu"}) {
      if (parsed.given(flag)) throw UsageError(fmt::format("{} is for a --colocated pool", flag));
    }
  }
  if (!parsed.given("--attention") && parsed.given("--colocated")) {
    for (const char* flag :
         {"--stages", "--attention-parallelism", "--split", "--place", "--ffn-parallelism"}) {
      if (parsed.given(flag))
        throw UsageError(
            fmt::format("{} has no effect without --attention POOL and --ffn POOL", flag));
    }
  }
}

}  // namespace

study::PoolRequest parse_pool(const std::string& text, std::string_view flag) {
  const size_t colon = text.rfind(':'), x = text.find('x', colon == std::string::npos ? 0 : colon);
  if (colon != std::string::npos && x != std::string::npos) {
    const auto instances = parse_integer(text.substr(colon + 1, x - colon - 1));
    const auto each = parse_integer(text.substr(x + 1));
    if (text.substr(0, colon) == "all")
      throw UsageError(fmt::format("{}: expected one chip, got '{}'", flag, text));
    if (instances && each && *instances >= 1 && *each >= 1 && *instances <= most_accelerators &&
        *each <= most_accelerators) {
      return {text.substr(0, colon), *instances, *each};
    }
  }
  throw UsageError(fmt::format(
      "{}: expected CHIP:INSTANCESxACCELERATORS such as h800:2x8, both at least 1, got '{}'", flag,
      text));
}

SplitChoice parse_split(const std::string& text) {
  if (text.empty()) return {};
  if (text == "tp") return {FfnChoice::tensor, {}};
  if (text == "ep") return {FfnChoice::expert, {}};
  if (const auto split = parse_exact_split(text)) return {FfnChoice::exact, *split};
  throw UsageError(
      fmt::format("--ffn-parallelism: expected tp, ep or tpXepY such as tp8ep2, got '{}'", text));
}

study::Conditions conditions_of(const ConditionArgs& args) {
  constexpr std::pair<std::string_view, Overlap> overlaps[] = {
      {"none", Overlap::none}, {"all-gather", Overlap::all_gather}, {"all", Overlap::all}};
  return {.models = args.models,
          .contexts = contexts_of(args),
          .what_if = what_ifs_of(args),
          .overlap = choose(overlaps, args.overlap, "--overlap"),
          .routing = parse_routing(args.routing),
          .redundant_experts = args.redundant,
          .experts = args.experts,
          .tpot_limit = positive<Dimension{.time = 1}>(args.tpot, "--tpot"),
          .nic_bandwidth = optional_rate(args.nic, "--nic-bandwidth"),
          .scale_up_bandwidth = optional_rate(args.scale_up, "--scale-up-bandwidth"),
          .memory_bandwidths = {},
          .memory_fraction = optional_fraction(args.memory_fraction),
          .calibration = args.calibration,
          .engine = args.engine};
}

study::DeploymentRequest deployment_request(const DeploymentArgs& args) {
  study::DeploymentRequest request{conditions_of(args), {}, {}};
  if (args.attention.empty() != args.ffn.empty())
    throw UsageError("--attention and --ffn go together");
  if (!args.attention.empty()) request.afd = afd_request(args);
  if (!args.colocated.empty()) request.colocated = colocated_request(args);
  if (!request.afd && !request.colocated) {
    throw UsageError(
        "needs --attention POOL and --ffn POOL, or --colocated POOL (such as h800:2x8), or all "
        "three");
  }
  return request;
}

void add_places(Verb& verb, std::string& places) {
  verb.text("--place", places,
            "Which AFD pool has routers, shared experts, dense layers; left out: "
            "router=attention,shared=ffn,dense=ffn",
            "WHAT=attention|ffn,..");
}

void add_layout(Verb& verb, DeploymentArgs& args) {
  verb.text("--attention", args.attention,
            "Attention pool: CHIP:INSTANCESxACCELERATORS, such as h800:2x8", "POOL");
  verb.text("--ffn", args.ffn, "FFN pool, written the same way", "POOL");
  verb.integer(
      "--micro-batches", args.micro_batches,
      "Micro-batches in flight (0: as many as stages; co-located: 2 for EP over the network, else "
      "1)");
  verb.text("--attention-parallelism", args.attention_parallelism,
            "Inside an attention instance: dp or tp", "dp|tp");
  verb.text("--split", args.split,
            "Where AFD cuts a layer: attention (with its projections), core (core attention alone)",
            "attention|core");
  add_places(verb, args.places);
  verb.text("--ffn-parallelism", args.ffn_parallelism,
            "tp, ep or tpXepY; left out: as the engine does", "SPLIT");
  verb.text("--colocated", args.colocated,
            "Instead: everything on one pool, laid out by --parallelism", "POOL");
  verb.text(
      "--parallelism", args.parallelism,
      "Of --colocated, attention then experts: tp8, ep32, tp8+ep8, dp8+tp8, tp2dp4+ep8; a cache "
      "split by tokens: tp8,cp8; stages: tp8,pp3; left out: ep over the pool",
      "LAYOUT");
  verb.integer("--tp", args.tensor, "Tensor-parallel ways of --colocated, as --parallelism tpN");
  verb.before(refuse_flags_without_pool);
}

void add_pools(Verb& verb, DeploymentArgs& args) {
  add_layout(verb, args);
  verb.integer("--batch", args.batch,
               "Requests in flight, over all accelerators and micro-batches");
  verb.integer("--batch-per-gpu", args.batch_per_gpu,
               "Requests on each accelerator of --colocated, instead of --batch");
  verb.before([&args](const Verb& parsed) {
    if (parsed.given("--batch-per-gpu") && args.batch_per_gpu < 1)
      throw UsageError("--batch-per-gpu: expected the requests of an accelerator, at least 1");
  });
  verb.text("--micro-batch-sizes", args.micro_batch_sizes,
            "Uneven micro-batches of the pools: requests of each, such as 2048,2048,1024",
            "N,N,..");
  verb.integer("--stages", args.stages, "Stages of the pipeline: 3 (network as one) or 4");
}

void add_deployment(Verb& verb, DeploymentArgs& args) {
  add_what_ifs(verb, args);
  add_contexts(verb, args);
  add_pools(verb, args);
  add_conditions(verb, args);
}

void add_conditions(Verb& verb, ConditionArgs& args) {
  verb.text("--overlap", args.overlap,
            "Collectives hidden behind other work: none, all-gather, all", "WHICH");
  verb.text("--routing", args.routing,
            "Expert load: uniform, zipf:EXPONENT or FILE.csv (expert,tokens); left out: the "
            "engine's",
            "LOAD");
  add_memory_conditions(verb, args);
  verb.text("--tpot", args.tpot, "Limit on the time per output token", "TIME");
  verb.text("--nic-bandwidth", args.nic, "Rate of one NIC instead of the chip's", "RATE");
  verb.text("--scale-up-bandwidth", args.scale_up,
            "NVLink or like, one direction, instead of the chip's", "RATE");
  verb.text("--calibration", args.calibration,
            "Calibration of every chip of its architecture; none: stated default efficiencies",
            "NAME|none");
  add_engine(verb, args);
}

void add_engine(Verb& verb, ConditionArgs& args) {
  verb.text(
      "--engine", args.engine,
      "Serving engine, a name or a path; ideal: none; left out: the one assumed for the chips",
      "NAME");
}

void add_memory_conditions(Verb& verb, ConditionArgs& args) {
  verb.integer("--redundant-experts", args.redundant, "Extra copies of the hottest experts");
  verb.integer("--experts", args.experts, "Upcycle every MoE layer to N routed experts");
  verb.real("--memory-fraction", args.memory_fraction,
            "Share of the memory for weights, caches and buffers; left out: the engine's");
}

}  // namespace afford::cli
