#include <fmt/format.h>

#include <memory>

#include "cli/args.hpp"
#include "cli/choose.hpp"
#include "cli/commands.hpp"
#include "records/entry.hpp"
#include "records/notes.hpp"
#include "study/entry.hpp"
#include "text/number.hpp"

namespace afford::cli {
namespace {

struct ShowArgs {
  std::string name, context = "8k", convention = "exact";
  std::string of_models;  // a flag that was given and is for models alone
  OutputArgs output;
};

void refuse_model_flags(const ShowArgs& args) {
  if (!args.of_models.empty())
    throw UsageError(fmt::format("{} is for models, and {} is none", args.of_models, args.name));
}

int run(const ShowArgs& args) {
  const Convention convention = choose(convention_names, args.convention, "--convention");
  const auto contexts = parse_token_counts(args.context);
  if (contexts.size() != 1) throw UsageError("-c: show takes one context");
  const study::Entry entry = study::entry(args.name);
  if (const auto* chip = std::get_if<HardwareSpec>(&entry)) {
    refuse_model_flags(args);
    emit(facts_of(*chip), args.output);
    return exit_done;
  }
  if (const auto* engine = std::get_if<Engine>(&entry)) {
    refuse_model_flags(args);
    emit(facts_of(*engine), args.output);
    return exit_done;
  }
  const ModelSpec& model = std::get<ModelSpec>(entry);
  const Format format = format_of(args.output);
  const Table modules = modules_of(model, contexts.front(), convention);
  Table facts = facts_of(model);
  add_model_notes(facts.notes, model, static_cast<double>(contexts.front()));
  if (for_people(format)) {
    emit(facts, args.output, "\n" + render(modules, format));
  } else {
    emit(modules, args.output);
    print_notes(args.output, facts);
  }
  return exit_done;
}

}  // namespace

Verb show_command(const Program& program) {
  auto args = std::make_shared<ShowArgs>();
  Verb verb(program, "show",
            "One model, chip or engine in full: every number with its source, every module");
  verb.required("name", args->name, "A name or path");
  verb.text("-c,--context", args->context, "Context in tokens of a model's module table", "TOKENS");
  verb.text("--convention", args->convention, "Counting: paper or exact", "NAME");
  verb.before([args](const Verb& parsed) {
    for (const char* flag : {"--context", "--convention"}) {
      if (parsed.given(flag)) args->of_models = flag;
    }
  });
  add_output(verb, args->output);
  verb.run = [args] { return run(*args); };
  return verb;
}

}  // namespace afford::cli
