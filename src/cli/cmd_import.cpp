#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>

#include "cli/args.hpp"
#include "cli/commands.hpp"
#include "cli/import_args.hpp"
#include "cli/streams.hpp"
#include "load/readers.hpp"
#include "records/import.hpp"
#include "report/output_file.hpp"
#include "text/number.hpp"
#include "yaml/document.hpp"

namespace afford::cli {
namespace {

/// A model file, checked by the reader of model files, and what to say of it.
struct Written {
  std::string name, yaml, report;
};

Written import_one(const ImportArgs& args, const std::string& file, const std::string& shown) {
  const std::vector<std::int64_t> contexts = parse_token_counts(args.context);
  if (contexts.size() != 1) throw UsageError("-c: import takes one context");
  const config::Checkpoint checkpoint = config::read_checkpoint(file);
  const config::Imported imported =
      config::import_checkpoint(checkpoint, import_options(args, file));
  const ModelSpec model = read_model(yaml::parse(imported.yaml, shown), shown);
  return {model.name, imported.yaml,
          import_text({.model = model,
                       .notes = imported.notes,
                       .context = contexts.front(),
                       .disk = checkpoint.disk})};
}

/// Several checkpoints become NAME.yaml in the folder of -o, all of them or none.
int import_several(const Host& host, const ImportArgs& args) {
  if (!std::filesystem::is_directory(args.output)) {
    throw UsageError(args.output.empty()
                         ? "several checkpoints go into a folder: give -o FOLDER"
                         : fmt::format("-o: several checkpoints go into a folder, and '{}' is none",
                                       args.output));
  }
  if (!args.name.empty() || !args.title.empty() || !args.total.empty())
    throw UsageError("--name, --title and published counts are for one checkpoint");
  std::map<std::filesystem::path, Written> files;
  for (const std::string& file : args.files) {
    Written written = import_one(args, file, file);
    const std::string name = written.name;
    if (!files.emplace(std::filesystem::path(args.output) / (name + ".yaml"), std::move(written))
             .second) {
      throw UsageError(
          fmt::format("two of the checkpoints are named {}; import them one by one "
                      "with --name",
                      name));
    }
  }
  std::map<std::filesystem::path, std::string_view> contents;
  for (const auto& [output, written] : files) contents.emplace(output, written.yaml);
  write_all(contents);
  for (const auto& [output, written] : files) say(host, written.report);
  return exit_done;
}

int run(const Host& host, const ImportArgs& args) {
  if (args.files.size() > 1) return import_several(host, args);
  std::optional<OutputFile> file;
  if (!args.output.empty()) file.emplace(args.output);
  const Written written =
      import_one(args, args.files.front(), args.output.empty() ? "<imported>" : args.output);
  if (file) {
    file->write(written.yaml);
    file->finish();
  } else {
    print(host, written.yaml);
  }
  say(host, written.report);
  return exit_done;
}

}  // namespace

Verb import_command(const Program& program) {
  auto args = std::make_shared<ImportArgs>();
  Verb verb(program, "import", "A model file from a published Hugging Face config.json");
  add_import(verb, *args);
  verb.run = [args, host = &verb.host()] { return run(*host, *args); };
  return verb;
}

}  // namespace afford::cli
