#include <memory>

#include "cli/args.hpp"
#include "cli/commands.hpp"
#include "records/pipelines.hpp"
#include "records/served_points.hpp"
#include "records/validation.hpp"
#include "report/gnuplot.hpp"

namespace afford::cli {
namespace {

struct ValidateArgs {
  std::string calibration, tables, served, afd, engine, plot;
  OutputArgs output;
};

/// --served, --afd: a file, or what comes with afford.
constexpr const char* shipped_points = "shipped";

void check(const ValidateArgs& args) {
  if (!args.plot.empty()) check_picture(args.plot);
  if (!args.served.empty() && (!args.tables.empty() || !args.calibration.empty()))
    throw UsageError("--served stands alone: neither --tables nor --calibration goes with it");
  if (!args.afd.empty() && (!args.tables.empty() || !args.served.empty()))
    throw UsageError("--afd stands alone: neither --tables nor --served goes with it");
  if (args.served.empty() && !args.engine.empty())
    throw UsageError("--engine is for --served; the cases have assumptions of their own");
  if (args.served.empty() && args.afd.empty() && !args.plot.empty())
    throw UsageError("--plot draws served points or pipelines; give --served or --afd too");
}

/// The points of a file, one by one for programs and in sum for people.
int run_served(const ValidateArgs& args) {
  const study::ServedValidation validation = study::served_validation(
      {.points = args.served == shipped_points ? "" : args.served, .engine = args.engine});
  if (!args.plot.empty()) draw(served_picture(validation), args.plot);
  const bool people = for_people(format_of(args.output));
  emit(people ? served_summary_table(validation) : served_point_table(validation), args.output);
  return exit_done;
}

/// The same of pipelines.
int run_pipelines(const ValidateArgs& args) {
  const study::PipelineValidation validation =
      study::pipeline_validation(args.afd == shipped_points ? "" : args.afd, args.calibration);
  if (!args.plot.empty()) draw(pipeline_picture(validation), args.plot);
  const bool people = for_people(format_of(args.output));
  emit(people ? pipeline_summary_table(validation) : pipeline_table(validation), args.output);
  return exit_done;
}

int run_tables(const ValidateArgs& args) {
  const study::Validation validation = study::validation_of_tables(args.tables, args.calibration);
  emit(kernel_table(validation), args.output);
  return say_left_out(args.output, validation.left_out,
                      validation.all_within() ? exit_done : exit_no);
}

int run(const ValidateArgs& args) {
  check(args);
  if (!args.served.empty()) return run_served(args);
  if (!args.afd.empty()) return run_pipelines(args);
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
  return say_left_out(args.output, validation.left_out,
                      validation.all_within() ? exit_done : exit_no);
}

}  // namespace

Verb validate_command(const Program& program) {
  auto args = std::make_shared<ValidateArgs>();
  Verb verb(program, "validate",
            "Predictions against published measurements, with deviation and source");
  verb.text("--calibration", args->calibration,
            "Calibration of every chip of its architecture; none: stated default efficiencies",
            "NAME|none");
  verb.text("--tables", args->tables, "Instead: the whole kernel tables in this folder (CSV)",
            "DIR");
  verb.text("--served", args->served,
            "Instead: served points, those of a CSV or the ones that come with afford",
            "FILE|shipped");
  verb.text(
      "--afd", args->afd,
      "Instead: pipelines that afford-calibrate afd measured, those of a CSV or the ones that "
      "come with afford",
      "FILE|shipped");
  verb.text("--engine", args->engine, "Of the served points; by default each one's own", "NAME");
  verb.text("--plot", args->plot, "Also draw the served points or pipelines: FILE.svg, .png or .gp",
            "FILE");
  add_output(verb, args->output);
  verb.run = [args] { return run(*args); };
  return verb;
}

}  // namespace afford::cli
