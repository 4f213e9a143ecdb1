#include <fmt/format.h>

#include <memory>

#include "cli/choose.hpp"
#include "cli/commands.hpp"
#include "cli/deployment_args.hpp"
#include "records/prefill.hpp"

namespace afford::cli {
namespace {

struct PrefillArgs : DeploymentArgs {
  std::vector<std::string> pools;
  int cached = 0;
};

study::PrefillRequest request_of(const PrefillArgs& args) {
  if (args.models.empty()) throw UsageError("prefill needs -m MODEL");
  if (args.pools.empty())
    throw UsageError("prefill needs --colocated POOL, such as --colocated h800:1x8");
  refuse_pue_without_electricity(args);
  study::PrefillRequest request{conditions_of(args), {}, args.cached};
  std::vector<std::string> pools;
  for (const std::string& text : args.pools) {
    add_new(pools, text, "--colocated", text);
    study::ColocatedRequest& pool = request.pools.emplace_back();
    pool.pool = parse_pool(text, "--colocated");
    if (!args.parallelism.empty()) pool.layout = parse_layout(args.parallelism);
  }
  return request;
}

Table table_with(study::PrefillRequest request, const Edits& edits) {
  request.what_if.edits = edits;
  return table_of(prefill_record(), study::prefills(request).rows);
}

int run(const PrefillArgs& args) {
  const study::PrefillRequest request = request_of(args);
  const study::Prefills prefills = study::prefills(request);
  Table table = table_of(prefill_record(), prefills.rows);
  table.title = "Prompts";
  require_effect(request.what_if.edits, table,
                 [&](const Edits& edits) { return table_with(request, edits); });
  table.notes = notes_on(prefills, request);
  emit(table, args.output);
  return say_left_out(args.output, prefills.left_out, prefills.all_hold() ? exit_done : exit_no);
}

}  // namespace

Verb prefill_command(const Program& program) {
  auto args = std::make_shared<PrefillArgs>();
  args->models.clear();
  args->contexts = {"4k"};
  Verb verb(program, "prefill",
            "Prompts: the time of one, tokens/s and what binds, cached prefixes");
  add_what_ifs(verb, *args);
  verb.texts("-c,--context", args->contexts, "Tokens of the prompts: 8192, 8k, 4k..128k*2",
             "TOKENS,..");
  verb.texts("--colocated", args->pools, "Pools: CHIP:INSTANCESxACCELERATORS, such as h800:2x8",
             "POOL,..");
  verb.text("--parallelism", args->parallelism,
            "Of the pools, as simulate takes it; left out: ep over the pool", "LAYOUT");
  verb.integer("--cached", args->cached, "Tokens before the prompt whose cache is there");
  verb.text("--calibration", args->calibration,
            "Calibration of every chip of its architecture; none: stated default efficiencies",
            "NAME|none");
  verb.text("--engine", args->engine, "Serving engine, by name or path; left out: a current one",
            "NAME");
  add_output(verb, args->output);
  verb.before([](const Verb& parsed) {
    for (const char* flag : {"--mtp", "--acceptance"}) {
      if (parsed.given(flag))
        throw UsageError(fmt::format("{} has no effect on prompts: drafts are decoded", flag));
    }
  });
  verb.run = [args] { return run(*args); };
  return verb;
}

}  // namespace afford::cli
