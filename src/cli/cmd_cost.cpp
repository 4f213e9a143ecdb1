#include <memory>

#include "cli/args.hpp"
#include "cli/commands.hpp"
#include "records/ideal.hpp"
#include "records/notes.hpp"

namespace afford::cli {
namespace {

Table costs_with(study::IdealRequest request, const Edits& edits) {
  request.what_if.edits = edits;
  const study::IdealInputs inputs = load(request);
  return table_of(cost_record(), study::costs(inputs));
}

int run(const StudyArgs& args) {
  const study::IdealRequest request = ideal_request(args);
  const study::IdealInputs inputs = load(request);
  const std::vector<study::Cost> costs = study::costs(inputs);
  Table table = table_of(cost_record(), costs);
  table.title = "Ideal cost of one generated token";
  table.notes = notes_on(inputs, request.what_if);
  require_effect(request.what_if.edits, table,
                 [&](const Edits& edits) { return costs_with(request, edits); });
  std::string explanations;
  if (args.explain) {
    for (const study::Cost& cost : costs) explanations += "\n" + text_of(explain(cost.of));
  }
  emit(table, args.output, explanations);
  if (!args.plot.empty()) draw(cost_picture(costs), args.plot);
  return say_left_out(args.output, inputs.left_out, exit_done);
}

}  // namespace

Verb cost_command(const Program& program) {
  auto args = std::make_shared<StudyArgs>();
  Verb verb(program, "cost", "Counts and ideal USD per module, for each model on each chip");
  add_study(verb, *args);
  verb.run = [args] { return run(*args); };
  return verb;
}

}  // namespace afford::cli
