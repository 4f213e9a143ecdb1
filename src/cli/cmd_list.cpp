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
std::vector<HardwareSpec> all_chips(LeftOut& left_out) {
  std::vector<HardwareSpec> chips = load_hardware({"all"}, {}, &left_out);
  try {
    attach_calibrations(pointers_to(chips), "", false, &left_out);
  } catch (const InputError& error) {
    left_out.emplace_back(error.what());
  }
  return chips;
}

Table models(LeftOut& left_out) { return list_of(load_models({"all"}, {}, &left_out)); }
Table hardware(LeftOut& left_out) { return list_of(all_chips(left_out)); }
Table engines(LeftOut& left_out) { return list_of(load_engines({"all"}, {}, &left_out)); }
Table families(LeftOut&) { return list_of(config::known_families()); }

struct ListArgs {
  std::string what;
  OutputArgs output;
};

int run(const ListArgs& args) {
  constexpr std::pair<std::string_view, Table (*)(LeftOut&)> tables[] = {
      {"models", models}, {"hardware", hardware}, {"engines", engines}, {"families", families}};
  LeftOut left_out;
  if (!args.what.empty()) {
    emit(choose(tables, args.what, "list")(left_out), args.output);
    return say_left_out(args.output, left_out, exit_done);
  }
  if (args.output.format == "csv" || args.output.format == "json") {
    throw UsageError("list: 'models', 'hardware' or 'engines'? They have different columns");
  }
  const Format format = format_of(args.output);
  emit(models(left_out), args.output,
       "\n" + render(hardware(left_out), format) + "\n" + render(engines(left_out), format));
  return say_left_out(args.output, left_out, exit_done);
}

}  // namespace

Verb list_command(const Program& program) {
  auto args = std::make_shared<ListArgs>();
  Verb verb(program, "list", "The models, chips and engines that come with afford");
  verb.text("what", args->what,
            "models, hardware, engines; all three when left out; or families, of import");
  add_output(verb, args->output);
  verb.run = [args] { return run(*args); };
  return verb;
}

}  // namespace afford::cli
