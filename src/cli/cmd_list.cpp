#include <memory>

#include "cli/args.hpp"
#include "cli/choose.hpp"
#include "cli/commands.hpp"
#include "import/import.hpp"
#include "load/calibrations.hpp"
#include "load/library.hpp"
#include "records/entry.hpp"

namespace afford::cli {
namespace {

/// With their calibrations.
std::vector<HardwareSpec> all_chips() {
  std::vector<HardwareSpec> chips = load_hardware({"all"});
  attach_calibrations(pointers_to(chips), "");
  return chips;
}

Table models() { return list_of(load_models({"all"})); }
Table hardware() { return list_of(all_chips()); }
Table engines() { return list_of(load_engines({"all"})); }
Table families() { return list_of(config::known_families()); }

struct ListArgs {
  std::string what;
  OutputArgs output;
};

int run(const ListArgs& args) {
  constexpr std::pair<std::string_view, Table (*)()> tables[] = {
      {"models", models}, {"hardware", hardware}, {"engines", engines}, {"families", families}};
  if (!args.what.empty()) {
    emit(choose(tables, args.what, "list")(), args.output);
    return 0;
  }
  if (args.output.format == "csv" || args.output.format == "json") {
    throw UsageError("list: 'models', 'hardware' or 'engines'? They have different columns");
  }
  const Format format = format_of(args.output);
  emit(models(), args.output, "\n" + render(hardware(), format) + "\n" + render(engines(), format));
  return 0;
}

}  // namespace

Verb list_command(CLI::App& app) {
  auto args = std::make_shared<ListArgs>();
  Verb verb(app, "list", "The models, chips and engines that come with afford");
  verb.text("what", args->what,
            "models, hardware, engines; all three when left out; or families, of import");
  add_output(verb, args->output);
  verb.run = [args] { return run(*args); };
  return verb;
}

}  // namespace afford::cli
