#include <memory>

#include "cli/args.hpp"
#include "cli/commands.hpp"
#include "records/validation.hpp"

namespace afford::cli {
namespace {

struct ValidateArgs {
  std::string calibration, tables;
  OutputArgs output;
};

int run_tables(const ValidateArgs& args) {
  const study::Validation validation = study::validation_of_tables(args.tables, args.calibration);
  emit(kernel_table(validation), args.output);
  return validation.all_within() ? exit_done : exit_no;
}

int run(const ValidateArgs& args) {
  if (!args.tables.empty()) return run_tables(args);
  const Format format = format_of(args.output);
  const study::Validation validation = study::validation(args.calibration);
  if (for_people(format)) {
    Table kernels = kernel_table(validation);
    kernels.notes.push_back("The whole tables: validate --tables DIR; not read here.");
    emit(validation_table(validation, KernelRows::left_out), args.output,
         "\n" + render(kernels, format));
  } else {
    emit(validation_table(validation, KernelRows::appended), args.output);
  }
  return validation.all_within() ? exit_done : exit_no;
}

}  // namespace

Verb validate_command(CLI::App& app) {
  auto args = std::make_shared<ValidateArgs>();
  Verb verb(app, "validate",
            "Predictions against published measurements, with deviation and source");
  verb.text("--calibration", args->calibration,
            "Calibration of every chip of its architecture; none: stated default efficiencies",
            "NAME|none");
  verb.text("--tables", args->tables, "Instead: the whole kernel tables in this folder (CSV)",
            "DIR");
  add_output(verb, args->output);
  verb.run = [args] { return run(*args); };
  return verb;
}

}  // namespace afford::cli
