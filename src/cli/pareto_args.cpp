#include "cli/pareto_args.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <regex>

#include "cli/choose.hpp"
#include "cli/sweep_args.hpp"
#include "deploy/layout.hpp"
#include "error.hpp"

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
          deployment_label(args.why_not)};
}

void add_pareto(Verb& verb, ParetoArgs& args) {
  add_search(verb, args);
  verb.text(
      "--objective", args.objective,
      "Against TPOT: tokens (a second and GPU), usd (per 1M tokens) or both; interactivity: tokens "
      "a second of one user against those of a GPU",
      "WHICH");
  add_contexts(verb, args);
  verb.flag("--all", args.all, "Write every candidate, not the frontier alone (csv)");
  add_plot(verb, args.plot, "Also draw a picture: FILE.svg, .png or .gp");
  verb.text("--why-not", args.why_not,
            "Say why this deployment is not on the frontier, such as 3A2F or EP32", "DEPLOYMENT");
  verb.text("--shard", args.shard, "Search only part I of N; afford merge joins the parts", "I/N");
  add_sweep(verb, args.sweeps);
  add_output(verb, args.output);
}

}  // namespace afford::cli
