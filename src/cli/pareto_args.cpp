#include "cli/pareto_args.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <regex>

#include "cli/choose.hpp"
#include "cli/sweep_args.hpp"
#include "deploy/layout.hpp"
#include "error.hpp"
#include "text/number.hpp"

namespace afford::cli {
namespace {

/// "3A2F", or a layout as --parallelism has it, as the search labels it.
std::string deployment_label(const std::string& text) {
  static const std::regex pools("[1-9][0-9]{0,5}A[1-9][0-9]{0,5}F(,core)?");
  if (text.empty() || std::regex_match(text, pools)) return text;
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  try {
    return name_of(parse_layout(lower));
  } catch (const ValueError&) {
    throw UsageError(fmt::format(
        "--why-not: expected a deployment such as 3A2F, EP32 or TP8+EP8, got '{}'", text));
  }
}

std::int64_t tokens_of(const std::string& text, std::string_view flag) {
  const auto tokens = parse_token_count(text);
  if (!tokens)
    throw UsageError(
        fmt::format("{}: expected tokens from 1 to 1e9, such as 4096 or 4k, got '{}'", flag, text));
  return *tokens;
}

std::optional<study::RequestsAsked> requests_of(const ParetoArgs& args) {
  if (args.isl.empty()) return std::nullopt;
  study::RequestsAsked requests{.prompt = tokens_of(args.isl, "--isl"),
                                .output = tokens_of(args.osl, "--osl"),
                                .prefix_hit_rate = args.prefix_hit_rate,
                                .ttft_limit = {},
                                .prompt_chips = {}};
  if (!args.ttft.empty()) requests.ttft_limit = positive<Dimension{.time = 1}>(args.ttft, "--ttft");
  for (const std::string& chip : args.prefill)
    add_new(requests.prompt_chips, chip, "--prefill", chip);
  return requests;
}

/// Lengths of requests come in pairs and say what the context is; without them there is no prompt.
void refuse_flags_of_requests(const Verb& parsed) {
  const bool in = parsed.given("--isl"), out = parsed.given("--osl");
  if (in != out)
    throw UsageError(fmt::format("{} needs {} beside it: the tokens of a {}",
                                 in ? "--isl" : "--osl", in ? "--osl" : "--isl",
                                 in ? "request's output" : "prompt"));
  if (in && parsed.given("--context"))
    throw UsageError("--context has no effect: it follows from --isl and --osl");
  for (const char* flag : {"--prefix-hit-rate", "--ttft", "--prefill"}) {
    if (!in && parsed.given(flag))
      throw UsageError(fmt::format("{} has no effect without --isl and --osl", flag));
  }
}

}  // namespace

study::FrontierRequest frontier_request(const ParetoArgs& args) {
  if (args.models.empty()) throw UsageError("pareto needs -m MODEL");
  const Format format = format_of(args.output);
  if (args.all && format != Format::csv) throw UsageError("--all goes with --format csv");
  if (args.all && !args.output.host->writes(args.output.file))
    throw UsageError("--all writes to a file; give -o FILE");
  if (args.all && !args.plot.empty())
    throw UsageError("--plot draws the frontier; leave --all out");
  const study::SearchRequest bounds = search_request(args);
  return {bounds, sweep_points(args.sweeps, bounds), parse_shard(args.shard),
          deployment_label(args.why_not), requests_of(args)};
}

void add_pareto(Verb& verb, ParetoArgs& args) {
  add_search(verb, args);
  verb.text(
      "--objective", args.objective,
      "Against TPOT: tokens (a second and GPU), usd (per 1M tokens) or both; interactivity: tokens "
      "a second of one user against those of a GPU",
      "WHICH");
  add_contexts(verb, args);
  verb.text("--isl", args.isl,
            "Serve whole requests, what works off their prompts counted: tokens of a prompt",
            "TOKENS");
  verb.text("--osl", args.osl, "And tokens of its output", "TOKENS");
  verb.real("--prefix-hit-rate", args.prefix_hit_rate,
            "Share of the prompts' tokens found in a cache");
  verb.text("--ttft", args.ttft, "Limit on the time to the first token", "TIME");
  verb.texts("--prefill", args.prefill,
             "Chips of the servers for prompts; left out: those that decode", "CHIP,..");
  verb.before([](const Verb& parsed) { refuse_flags_of_requests(parsed); });
  verb.flag("--all", args.all, "Write every candidate, not the frontier alone (csv)");
  add_plot(verb, args.plot, "Also draw a picture: FILE.svg, .png or .gp");
  verb.text("--why-not", args.why_not,
            "Say why this deployment is not on the frontier, such as 3A2F or EP32", "DEPLOYMENT");
  verb.text("--shard", args.shard, "Search only part I of N; afford merge joins the parts", "I/N");
  add_sweep(verb, args.sweeps);
  add_output(verb, args.output);
}

}  // namespace afford::cli
