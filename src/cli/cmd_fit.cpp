#include <fmt/format.h>

#include <memory>

#include "cli/commands.hpp"
#include "cli/deployment_args.hpp"
#include "records/fit.hpp"

namespace afford::cli {
namespace {

struct WhatFitsArgs : DeploymentArgs {
  int requests = 1, max_gpus = 128;
};

/// Of the deployment that is given; of clusters of the chips where none is.
study::FitRequest request_of(const WhatFitsArgs& args) {
  if (args.models.empty()) throw UsageError("fit needs -m MODEL");
  const bool deployed = !args.attention.empty() || !args.ffn.empty() || !args.colocated.empty();
  if (deployed == !args.hardware.empty()) {
    throw UsageError(
        "fit needs --on CHIP,.. for the smallest cluster, or --colocated POOL, or --attention POOL "
        "and --ffn POOL");
  }
  study::FitRequest request;
  if (deployed) {
    DeploymentArgs asked = args;
    // Enough for every micro-batch of every replica; how many fit is the answer.
    asked.batch = 1'000'000 * (args.micro_batches == 0 ? args.stages : args.micro_batches);
    static_cast<study::DeploymentRequest&>(request) = deployment_request(asked);
  } else {
    static_cast<study::Conditions&>(request) = conditions_of(args);
  }
  request.chips = args.hardware;
  request.requests = args.requests;
  request.max_gpus = args.max_gpus;
  return request;
}

Table table_with(study::FitRequest request, const Edits& edits) {
  request.what_if.edits = edits;
  return table_of(study::fits(request));
}

int run(const WhatFitsArgs& args) {
  const study::FitRequest request = request_of(args);
  const bool people = for_people(format_of(args.output));
  const study::Fits fits = study::fits(request);
  Table table = table_of(fits);
  table.notes = notes_on(fits, request);
  require_effect(request.what_if.edits, table,
                 [&](const Edits& edits) { return table_with(request, edits); });
  emit(table, args.output, people ? memory_bars(fits) : "");
  return say_left_out(args.output, fits.left_out, fits.all_hold() ? exit_done : exit_no);
}

}  // namespace

Verb fit_command(const Program& program) {
  auto args = std::make_shared<WhatFitsArgs>();
  args->models.clear();
  args->hardware.clear();
  Verb verb(program, "fit", "What fits: requests and tokens at each context, the smallest cluster");
  verb.texts("--on", args->hardware, "Chips by name or path, for the smallest cluster of each",
             "CHIP,..");
  verb.integer("--requests", args->requests, "Requests in flight that must fit");
  verb.integer("--max-gpus", args->max_gpus, "Accelerators of a cluster at most");
  add_shape_what_ifs(verb, *args);
  add_contexts(verb, *args);
  add_layout(verb, *args);
  add_memory_conditions(verb, *args);
  add_engine(verb, *args);
  add_output(verb, args->output);
  verb.before([](const Verb& parsed) {
    const bool clusters = parsed.given("--on");
    if (!clusters && parsed.given("--max-gpus"))
      throw UsageError("--max-gpus is for the clusters of --on");
    if (!clusters) return;
    for (const char* flag : {"--micro-batches", "--attention-parallelism", "--split", "--place",
                             "--ffn-parallelism", "--parallelism", "--tp"}) {
      if (parsed.given(flag))
        throw UsageError(
            fmt::format("{} is for a pool that is given; --on tries every layout", flag));
    }
  });
  verb.run = [args] { return run(*args); };
  return verb;
}

}  // namespace afford::cli
