#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "cli/args.hpp"
#include "cli/commands.hpp"
#include "records/engine_fit.hpp"
#include "report/output_file.hpp"
#include "study/engine_file.hpp"
#include "text/date.hpp"
#include "text/name.hpp"

namespace afford::cli {
namespace {

struct FitArgs {
  study::EngineFitRequest request;
  std::string file, name, date;
  OutputArgs shown;  // the table; the engine goes to `file`
  std::shared_ptr<OutputFile> engine;
};

std::string file_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

int run(const FitArgs& args) {
  const Format format = format_of(args.shown);
  if (!args.date.empty() && !is_date(args.date)) {
    throw UsageError(
        fmt::format("--date: expected a date such as 2026-11-26, got '{}'", args.date));
  }
  const std::string name =
      args.name.empty() ? std::filesystem::path(args.file).stem().string() : args.name;
  if (!is_name(name))
    throw UsageError(fmt::format("--name: {}, got '{}'", name_expected(name), name));
  if (name == no_engine) throw UsageError("--name: ideal stands for no engine; expected another");
  const study::EngineFit fit = study::fit_engine(args.request);
  const study::EngineFileNotes notes{
      .name = name,
      .command =
          fmt::format("afford fit-engine {} --engine {} -o {}", file_name(args.request.points),
                      args.request.base, file_name(args.file)),
      .points = file_name(args.request.points),
      .date = args.date.empty() ? today() : args.date};
  args.engine->write(study::engine_file(fit, notes));
  args.engine->finish();
  const Table table = engine_fit_table(fit);
  emit(table, args.shown);
  if (!for_people(format)) print_notes(args.shown, table);
  return exit_done;
}

}  // namespace

Verb fit_engine_command(const Program& program) {
  auto args = std::make_shared<FitArgs>();
  args->request.base = "vllm";
  Verb verb(program, "fit-engine", "An engine file from one's own measured times per output token");
  verb.required("points", args->request.points, "CSV of served points");
  verb.required_written("-o,--output", args->file, "The engine file to write, such as mine.yaml");
  verb.text("--engine", args->request.base, "The engine to start from: a name or a file", "NAME");
  verb.text("--name", args->name, "The engine's name; by default that of the file", "NAME");
  verb.text("--date", args->date, "Date of the measurements; by default today", "DATE");
  add_format(verb, args->shown);
  verb.before([args](const Verb&) { args->engine = std::make_shared<OutputFile>(args->file); });
  verb.run = [args] { return run(*args); };
  return verb;
}

}  // namespace afford::cli
