#include <fmt/format.h>

#include <memory>

#include "cli/args.hpp"
#include "cli/choose.hpp"
#include "cli/commands.hpp"
#include "records/ideal.hpp"
#include "records/notes.hpp"

namespace afford::cli {
namespace {

struct RooflineArgs : StudyArgs {
  std::string tpot = "50ms", nic;
  int stages = 3;
};

study::MatchRequest match_request(const RooflineArgs& args) {
  study::MatchRequest request{
      .budget = {.tpot = positive<Dimension{.time = 1}>(args.tpot, "--tpot"),
                 .stages = args.stages},
      .nic_bandwidth = {}};
  if (!args.nic.empty())
    request.nic_bandwidth = positive<Dimension{.time = -1, .byte = 1}>(args.nic, "--nic-bandwidth");
  return request;
}

std::string explanation(const RooflineArgs& args) {
  return fmt::format(
      "\nHow to read it (Step-3 report, arXiv 2507.19427, Section 5)\n"
      "  intensity      attention FLOPs / KV bytes of a token; near the ridge a chip is used well\n"
      "  ridge          peak FLOP/s in the attention format / memory bandwidth\n"
      "  sparsity       share of the FFN weights a token visits, shared experts in both\n"
      "  min sparsity   hidden x ridge x layers / (server network x {} / {} / 1.5): below it a "
      "server's NICs "
      "cannot\n"
      "                 feed a batch that keeps the FFN compute-bound (1 byte out, 2 bytes back "
      "per "
      "element)\n"
      "  min FFN batch  ridge x bytes per weight / 2 / sparsity, tokens in one FFN pass\n",
      args.tpot, args.stages);
}

Table rooflines_with(study::IdealRequest request, const RooflineArgs& args, const Edits& edits) {
  request.what_if.edits = edits;
  const study::IdealInputs inputs = load(request);
  return table_of(match_record(), matches(inputs, match_request(args)));
}

int run(const RooflineArgs& args) {
  const study::IdealRequest request = ideal_request(args);
  const study::IdealInputs inputs = load(request);
  Table table = table_of(match_record(), matches(inputs, match_request(args)));
  table.title = "Does the model fit the chip?";
  table.notes = notes_on(inputs, request.what_if);
  require_effect(request.what_if.edits, table,
                 [&](const Edits& edits) { return rooflines_with(request, args, edits); });
  emit(table, args.output, args.explain ? explanation(args) : "");
  if (!args.plot.empty()) draw(match_picture(inputs), args.plot);
  return say_left_out(args.output, inputs.left_out, exit_done);
}

}  // namespace

Verb roofline_command(const Program& program) {
  auto args = std::make_shared<RooflineArgs>();
  args->convention = "exact";
  args->contexts = {"8k"};
  Verb verb(program, "roofline",
            "Arithmetic intensity against ridge, FFN batch and sparsity bounds");
  add_study(verb, *args, Prices::unused);
  verb.text("--tpot", args->tpot, "Time per output token", "TIME");
  verb.integer("--stages", args->stages, "Stages of the AFD pipeline: 3 or 4");
  verb.text("--nic-bandwidth", args->nic, "Measured rate of one NIC, such as 40GB/s", "RATE");
  verb.run = [args] { return run(*args); };
  return verb;
}

}  // namespace afford::cli
