#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

#include "cli/args.hpp"
#include "cli/choose.hpp"
#include "cli/commands.hpp"
#include "records/ideal.hpp"
#include "records/notes.hpp"

namespace afford::cli {
namespace {

constexpr std::pair<std::string_view, ComparisonPicture> chart_names[] = {
    {"active", ComparisonPicture::active},
    {"context", ComparisonPicture::context},
    {"split", ComparisonPicture::split}};

struct CompareArgs : StudyArgs {
  std::string chart = "active";
};

std::string explanation(const study::Comparison& comparison) {
  const auto [attention, ffn, single] = comparison.chips;
  std::string text = "\n" + text_of(explain(comparison.on(attention)));
  if (attention != ffn) text += "\n" + text_of(explain(comparison.on(ffn)));
  return text;
}

Table comparisons_with(study::IdealRequest request, const Edits& edits) {
  request.what_if.edits = edits;
  study::IdealInputs inputs = load(request);
  (void)leave_out_unpriced(inputs);
  return table_of(comparison_record(), study::comparisons(inputs));
}

int run(const CompareArgs& args) {
  const ComparisonPicture kind = choose(chart_names, args.chart, "--chart");
  const study::IdealRequest request = ideal_request(args);
  study::IdealInputs inputs = load(request);
  const std::vector<std::string> unpriced = leave_out_unpriced(inputs);
  const std::vector<study::Comparison> comparisons = study::comparisons(inputs);
  Table table = table_of(comparison_record(), comparisons);
  table.title = "Cheapest pair of chips for attention and FFN (AFD), and cheapest single chip";
  table.notes = notes_on(inputs, request.what_if);
  require_effect(request.what_if.edits, table,
                 [&](const Edits& edits) { return comparisons_with(request, edits); });
  if (!unpriced.empty()) {
    table.notes.push_back(
        fmt::format("Left out, as they state no price (--price CHIP=USD gives one): {}.",
                    fmt::join(unpriced, ", ")));
  }
  std::string explanations;
  if (args.explain) {
    for (const study::Comparison& comparison : comparisons) explanations += explanation(comparison);
  }
  emit(table, args.output, explanations);
  if (!args.plot.empty()) draw(comparison_picture(comparisons, kind), args.plot);
  return say_left_out(args.output, inputs.left_out, exit_done);
}

}  // namespace

Verb compare_command(const Program& program) {
  auto args = std::make_shared<CompareArgs>();
  Verb verb(program, "compare",
            "For each model the cheapest pair of chips and the cheapest single one");
  add_study(verb, *args);
  verb.text("--chart", args->chart,
            "What --plot draws: active (cost against activated parameters), "
            "context (against context), split (AFD beside a single chip)",
            "NAME");
  verb.before([args](const Verb& parsed) {
    (void)choose(chart_names, args->chart, "--chart");
    if (parsed.given("--chart") && !parsed.given("--plot"))
      throw UsageError("--chart says what --plot draws; give --plot too");
  });
  verb.run = [args] { return run(*args); };
  return verb;
}

}  // namespace afford::cli
