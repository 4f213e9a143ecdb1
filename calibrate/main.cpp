// afford-calibrate: measures the GPU of this machine and writes its calibration.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <optional>

#include "commands.hpp"
#include "commit.hpp"
#include "error.hpp"
#include "text/number.hpp"
#include "text/suggest.hpp"
#include "version.hpp"

namespace {

using namespace afford::calibrate;

/// A number between both, in our words; unlike CLI::Range it takes no "nan".
CLI::Validator between(double least, double most) {
  const auto check = [=](const std::string& text) {
    const std::optional<double> value = afford::parse_real(text);
    if (value && *value >= least && *value <= most) return std::string();
    return fmt::format("expected {} to {}, got '{}'", least, most, text);
  };
  return {check, ""};
}

void add_common(CLI::App* verb, int& gpu, std::vector<std::string>& only) {
  verb->add_option("--gpu", gpu, "Number of the GPU, as list shows it")
      ->check(between(0, 1023))
      ->capture_default_str();
  verb->add_option("--only", only,
                   "Operations, such as mfa_decode; the read and tensor roofs always come along")
      ->delimiter(',')
      ->type_name("OPERATION,..");
}

void add_afd(CLI::App* verb, AfdOptions& options) {
  verb->add_option("model", options.model, "A file of models/")->required()->type_name("FILE.yaml");
  verb->add_option(
          "--layouts", options.layouts,
          "NaMf: attention on N GPUs, experts spread over M others (NaMf-tp: each one cut); "
          "epN, tpN: both on each of N")
      ->delimiter(',')
      ->capture_default_str();
  verb->add_option(
          "--batches", options.batches,
          "Requests of an attention GPU and micro-batch, and their context; of unequal ones "
          "1x128k+31x4k")
      ->delimiter(',')
      ->type_name("REQUESTSxCONTEXT,..")
      ->capture_default_str();
  verb->add_option("--micro-batches", options.micro_batches, "How many are in flight")
      ->delimiter(',')
      ->check(between(1, 8))
      ->capture_default_str();
  verb->add_option("--cache", options.cache, "Format of the KV cache: bf16 or fp8")
      ->capture_default_str();
  verb->add_option("--shard", options.shard,
                   "FFN GPUs hold one of so many parts of each expert, as in a larger pool")
      ->check(between(1, 64))
      ->capture_default_str();
  verb->add_option("-o,--output", options.output, "The CSV that is written")
      ->type_name("FILE.csv")
      ->capture_default_str();
  verb->add_option("--calibration", options.calibration,
                   "What predictions stand on, with links; the chip's own by default")
      ->type_name("FILE.yaml");
  verb->add_option("--trace", options.trace,
                   "Also the timeline of a single pipeline, measured and predicted, for Perfetto")
      ->type_name("FILE.json");
}

/// A word or flag that no verb takes.
void refuse_leftovers(const CLI::App& app) {
  const std::vector<std::string> rest = app.remaining(true);
  if (rest.empty()) return;
  const std::string name = rest.front().substr(0, rest.front().find('='));
  if (!name.starts_with('-')) {
    if (const auto parsed = app.get_subcommands(); !parsed.empty())
      throw afford::UsageError(
          fmt::format("{} does not expect '{}'", parsed.front()->get_name(), name));
    const std::vector<std::string> verbs{"list", "run", "verify", "afd", "links", "fit"};
    throw afford::UsageError(fmt::format("no verb '{}'{}", name, afford::suggestion(name, verbs)));
  }
  std::vector<std::string> options;
  for (const CLI::App* verb : app.get_subcommands())
    for (const CLI::Option* option : verb->get_options())
      for (const std::string& known : option->get_lnames()) options.push_back("--" + known);
  throw afford::UsageError(
      fmt::format("no option '{}'{}", name, afford::suggestion(name, options)));
}

/// What CLI11 has against the command line, in our words.
std::string wording(const CLI::ParseError& error) {
  const std::string text = error.what(), name = error.get_name();
  const std::string option = text.substr(0, text.find(':'));
  constexpr std::string_view conversion = "Could not convert: ", required = " is required";
  if (name == "ArgumentMismatch" && text.find("At Most") != std::string::npos)
    return option + ": given more than once; expected one value";
  if (name == "ArgumentMismatch") return option + ": expected a value";
  if (name == "RequiredError" && text.ends_with(required))
    return "expected " + text.substr(0, text.size() - required.size());
  if (name != "ConversionError" || !text.starts_with(conversion)) return text;
  const size_t equals = text.find(" = ");
  const std::string flag = text.substr(conversion.size(), equals - conversion.size());
  const std::string value = text.substr(equals + 3);
  if (flag == "--quick") return fmt::format("{}: takes no value, got '{}'", flag, value);
  return fmt::format("{}: expected a whole number, got '{}'", flag, value);
}

int parse_and_run(CLI::App& app, int argc, char** argv) {
  RunOptions run_options;
  VerifyOptions verify_options;
  CLI::App* list_verb =
      app.add_subcommand("list", "Which GPUs there are, and whether they can be calibrated");
  CLI::App* run_verb = app.add_subcommand("run", "Measure this GPU and write its calibration");
  CLI::App* verify_verb = app.add_subcommand("verify", "Check every kernel on awkward shapes");
  AfdOptions afd_options;
  CLI::App* afd_verb = app.add_subcommand(
      "afd", "Run a model's decode layers as a pipeline over the GPUs of this server");
  add_afd(afd_verb, afd_options);
  LinksOptions links_options;
  CLI::App* links_verb = app.add_subcommand(
      "links", "Measure the links between the GPUs of this server, and add them to a calibration");
  links_verb->add_option("--gpus", links_options.gpus, "The first so many; all by default")
      ->check(between(2, 8));
  links_verb
      ->add_option("-o,--output", links_options.output,
                   "The calibration, or the folder that it is in")
      ->type_name("PATH")
      ->capture_default_str();
  FitOptions fit_options;
  CLI::App* fit_verb = app.add_subcommand(
      "fit", "One calibration of several cards of a chip, with their spread; needs no GPU");
  fit_verb->add_option("cards", fit_options.cards, "The calibration of each, its points beside it")
      ->type_name("FILE.yaml")
      ->required();
  fit_verb->add_option("-o,--output", fit_options.output, "An existing folder, or FILE.yaml")
      ->type_name("PATH")
      ->capture_default_str();
  add_common(run_verb, run_options.gpu, run_options.only);
  add_common(verify_verb, verify_options.gpu, verify_options.only);
  verify_verb
      ->add_option("--beside", verify_options.beside,
                   "Also time what calibrate/beside.py puts beside other kernels, into this file")
      ->type_name("FILE.csv");
  run_verb->add_flag("--quick", run_options.quick, "Fewer points: under a minute");
  run_verb->add_option("-o,--output", run_options.output, "An existing folder, or FILE.yaml")
      ->type_name("PATH")
      ->capture_default_str();
  run_verb
      ->add_option("--seconds-per-point", run_options.seconds,
                   "Seconds of samples a point; 0.2, quick 0.1")
      ->check(between(0.01, 60));
  app.allow_extras();
  for (CLI::App* verb : {list_verb, run_verb, verify_verb, afd_verb, links_verb, fit_verb})
    verb->allow_extras();
  app.parse(argc, argv);
  refuse_leftovers(app);
  if (list_verb->parsed()) return list();
  if (run_verb->parsed()) return run(run_options);
  if (verify_verb->parsed()) return verify(verify_options);
  if (links_verb->parsed()) return links(links_options);
  if (afd_verb->parsed()) return afd(afd_options);
  if (fit_verb->parsed()) return fit(fit_options);
  fmt::print("{}", app.help());
  return afford::exit_done;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Measures this GPU with afford's own kernels and writes its calibration.",
               "afford-calibrate");
  app.set_version_flag("--version",
                       fmt::format("afford-calibrate {} ({})", afford::version, commit));
  try {
    return parse_and_run(app, argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    fmt::print(stderr, "afford-calibrate: {}\n", wording(error));
  } catch (const afford::InputError& error) {
    fmt::print(stderr, "{}\n", error.what());  // file:line:column first, for editors
  } catch (const afford::UsageError& error) {
    fmt::print(stderr, "afford-calibrate: {}\n", error.what());
  } catch (const std::exception& error) {
    fmt::print(stderr, "afford-calibrate: {}\n", error.what());
    return afford::exit_no;
  }
  return afford::exit_bad_input;
}
