#include "cli/replay_args.hpp"

#include <fmt/format.h>

#include "cli/choose.hpp"
#include "text/number.hpp"

namespace afford::cli {
namespace {

std::vector<double> rates_of(const std::vector<std::string>& texts) {
  std::vector<double> rates;
  for (const std::string& text : texts) {
    const auto rate = parse_real(text);
    if (!rate) throw UsageError(fmt::format("--rate: expected requests a second, got '{}'", text));
    add_new(rates, *rate, "--rate", text);
  }
  return rates;
}

std::vector<std::int64_t> concurrencies_of(const std::vector<std::string>& texts) {
  std::vector<std::int64_t> counts;
  for (const std::string& text : texts) {
    const auto count = parse_integer(text);
    if (!count)
      throw UsageError(fmt::format("--concurrency: expected requests at once, got '{}'", text));
    add_new(counts, *count, "--concurrency", text);
  }
  return counts;
}

std::optional<study::ColocatedRequest> prefill_of(const ReplayArgs& args) {
  if (args.prefill.empty() && !args.prefill_parallelism.empty())
    throw UsageError("--prefill-parallelism has no effect without --prefill POOL");
  if (args.prefill.empty()) return std::nullopt;
  study::ColocatedRequest request{.pool = parse_pool(args.prefill, "--prefill"), .layout = {}};
  if (args.prefill_parallelism.empty()) return request;
  try {
    request.layout = parse_layout(args.prefill_parallelism);
  } catch (const ValueError& error) {
    throw UsageError("--prefill-parallelism" + error.complaint());
  }
  return request;
}

}  // namespace

study::ReplayRequest replay_request(const ReplayArgs& args) {
  (void)format_of(args.output);
  constexpr std::pair<std::string_view, RequestRouting> routes[] = {
      {"round-robin", RequestRouting::round_robin}, {"least-loaded", RequestRouting::least_loaded}};
  refuse_pue_without_electricity(args);
  if (!args.micro_batch_sizes.empty())
    throw UsageError("--micro-batch-sizes: replay spreads requests evenly");
  study::ReplayRequest request{deployment_request(args)};
  request.file = args.file;
  request.rates = rates_of(args.rates);
  request.concurrencies = concurrencies_of(args.concurrencies);
  request.requests = args.requests;
  request.copies = args.copies;
  if (args.given.chunk) request.chunk = args.chunk;
  if (args.given.seed) request.seed = args.seed;
  if (args.given.prefix_hit_rate) request.prefix_hit_rate = args.prefix_hit_rate;
  request.routing = choose(routes, args.route, "--route");
  request.prefill = prefill_of(args);
  return request;
}

void add_replay(Verb& verb, ReplayArgs& args) {
  verb.required("traffic", args.file,
                "Trace (CSV of ours, Azure, BurstGPT, Vidur, Splitwise; Mooncake's JSON lines) or "
                "workload file");
  add_what_ifs(verb, args);
  add_pools(verb, args);
  add_conditions(verb, args);
  verb.texts("--rate", args.rates, "Requests a second, arriving at random (Poisson)", "RATE,..");
  verb.texts("--concurrency", args.concurrencies,
             "Instead: so many requests at once, each followed by the next", "N,..");
  verb.integer("--requests", args.requests,
               "Only the first N (0: all; 10000 of a workload's laws)");
  verb.integer("--copies", args.copies, "Copies of the deployment that share the requests");
  verb.text("--route", args.route, "How requests are shared: round-robin or least-loaded", "WHICH");
  verb.integer("--chunk", args.chunk, "Most tokens of prompts that join a decode step");
  verb.text("--prefill", args.prefill, "Pool that works on prompts alone, such as h800:1x8",
            "POOL");
  verb.text("--prefill-parallelism", args.prefill_parallelism,
            "Of --prefill, written as --parallelism", "LAYOUT");
  verb.real("--prefix-hit-rate", args.prefix_hit_rate,
            "Share of prompts found in a cache; left out: what a trace's blocks say");
  verb.integer("--seed", args.seed, "Seed of random arrivals and lengths");
  verb.written("--over-time", args.over_time,
               "Write requests in flight and waiting, memory and tokens over time", "FILE.csv");
  verb.written("--trace", args.trace,
               "Write every request from asking to its last token, as a Chrome trace for Perfetto",
               "FILE.json");
}

}  // namespace afford::cli
