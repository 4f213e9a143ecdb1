#include <memory>

#include "cli/args.hpp"
#include "cli/choose.hpp"
#include "cli/commands.hpp"
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

struct ListArgs {
  std::string what;
  OutputArgs output;
};

int run(const ListArgs& args) {
  enum class What { models, hardware };
  constexpr std::pair<std::string_view, What> names[] = {{"models", What::models},
                                                         {"hardware", What::hardware}};
  if (!args.what.empty()) {
    const bool models = choose(names, args.what, "list") == What::models;
    emit(models ? list_of(load_models({"all"})) : list_of(all_chips()), args.output);
    return 0;
  }
  if (args.output.format == "csv" || args.output.format == "json") {
    throw UsageError("list: 'models' or 'hardware'? The two have different columns");
  }
  emit(list_of(load_models({"all"})), args.output,
       "\n" + render(list_of(all_chips()), format_of(args.output)));
  return 0;
}

}  // namespace

Verb list_command(CLI::App& app) {
  auto args = std::make_shared<ListArgs>();
  Verb verb(app, "list", "The models and chips that come with afford");
  verb.text("what", args->what, "models or hardware; both when left out");
  add_output(verb, args->output);
  verb.run = [args] { return run(*args); };
  return verb;
}

}  // namespace afford::cli
