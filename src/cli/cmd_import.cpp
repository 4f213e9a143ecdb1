#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "cli/args.hpp"
#include "cli/commands.hpp"
#include "cli/import_args.hpp"
#include "load/readers.hpp"
#include "records/import.hpp"
#include "report/output_file.hpp"
#include "text/number.hpp"
#include "yaml/document.hpp"

namespace afford::cli {
namespace {

int run(const ImportArgs& args) {
  const std::vector<std::int64_t> contexts = parse_token_counts(args.context);
  if (contexts.size() != 1) throw UsageError("-c: import takes one context");
  const config::Imported imported =
      config::import_config(json::parse_file(args.file), import_options(args));
  const std::string shown_file = args.output.empty() ? "<imported>" : args.output;
  const ModelSpec model = read_model(yaml::parse(imported.yaml, shown_file), shown_file);
  if (!args.output.empty()) {
    write_whole(args.output, imported.yaml);
  } else if (std::fwrite(imported.yaml.data(), 1, imported.yaml.size(), stdout) !=
                 imported.yaml.size() ||
             std::fflush(stdout) != 0) {
    throw UsageError("cannot write to standard output");
  }
  fmt::print(stderr, "{}", import_text(model, imported.notes, contexts.front()));
  return exit_done;
}

}  // namespace

Verb import_command(CLI::App& app) {
  auto args = std::make_shared<ImportArgs>();
  Verb verb(app, "import", "A model file from a published Hugging Face config.json");
  verb.required("config", args->file, "The config.json");
  verb.text("-o,--output", args->output,
            "Write to FILE instead of stdout; it appears whole or not at all", "FILE");
  verb.text("--name", args->name, "The model's name; by default that of the file, or of its folder",
            "NAME");
  verb.text("--title", args->title, "The model's title", "TEXT");
  verb.texts("--assume", args->assumptions,
             "Answer for a key: KEY=VALUE, or KEY=ignore to count without it", "KEY=VALUE,..");
  verb.text("--precision", args->precision,
            "config: formats of quantization_config, else BF16; paper: those of the Step-3 report",
            "NAME");
  verb.text("-c,--context", args->context, "Context in tokens of the report", "TOKENS");
  verb.text("--source", args->source, "Where the config comes from, for the file's sources",
            "TEXT");
  verb.text("--date", args->date, "Date of that source; by default today", "DATE");
  verb.text("--total", args->total, "Published count of all parameters, such as 671B", "COUNT");
  verb.text("--active", args->active, "Published count of active parameters", "COUNT");
  verb.text("--total-counts", args->total_counts, "Which of embedding and lm_head --total counts",
            "PARTS");
  verb.text("--active-counts", args->active_counts,
            "Which of embedding and lm_head --active counts", "PARTS");
  verb.text("--published-source", args->published_source, "Where the counts are published", "TEXT");
  verb.text("--published-date", args->published_date, "Date of that source", "DATE");
  verb.run = [args] { return run(*args); };
  return verb;
}

}  // namespace afford::cli
