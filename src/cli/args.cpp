#include "cli/args.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "cli/choose.hpp"
#include "cli/streams.hpp"
#include "report/gnuplot.hpp"
#include "report/output_file.hpp"
#include "text/escape.hpp"
#include "text/number.hpp"
#include "text/quantity.hpp"

namespace afford::cli {
namespace {

std::optional<Dtype> optional_dtype(const std::string& text, std::string_view flag) {
  if (text.empty()) return std::nullopt;
  return choose(dtype_names, text, flag);
}

study::Price parse_price(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos) {
    throw UsageError(
        fmt::format("--price: expected CHIP=USD_PER_HOUR such as h800=1.6, got '{}'", text));
  }
  return {.chip = text.substr(0, equals),
          .rate = parse_rate(text.substr(equals + 1)),
          .stated = text,
          .source = "--price"};
}

Speculation speculation_of(const StudyArgs& args) {
  const bool given = !std::isnan(args.acceptance);
  const bool swept =
      std::any_of(args.sweeps.begin(), args.sweeps.end(),
                  [](const std::string& sweep) { return sweep.starts_with("acceptance="); });
  if (args.drafts > 0 && !given && !swept)
    throw UsageError("--mtp needs --acceptance P, the share of drafts that are accepted");
  if (args.drafts == 0 && given) throw UsageError("--acceptance needs --mtp N");
  return {.drafts = args.drafts, .acceptance = given ? args.acceptance : 0};
}

FormatOverrides overrides_of(const StudyArgs& args) {
  FormatOverrides formats{.attention = std::nullopt,
                          .kv = optional_dtype(args.kv_dtype, "--kv-dtype"),
                          .weights = optional_dtype(args.weight_dtype, "--weight-dtype")};
  if (!args.attention_dtype.empty()) {
    formats.attention = choose(compute_dtype_names, args.attention_dtype, "--attention-dtype");
  }
  return formats;
}

}  // namespace

UsdRate parse_rate(const std::string& text) {
  // On the command line a bare number is USD/h, the only unit prices have.
  const auto bare = parse_real(text);
  const std::string whole = bare && *bare > 0 ? text + " USD/h" : text;
  std::string why;
  const auto price = parse_quantity<Dimension{.time = -1, .usd = 1}>(whole, why);
  if (!price || *price <= UsdRate(0)) {
    throw UsageError(fmt::format("--price: {}", price ? "expected more than zero" : why));
  }
  return *price;
}

std::vector<std::int64_t> contexts_of(const StudyArgs& args) {
  std::vector<std::int64_t> contexts;
  for (const std::string& text : args.contexts) {
    for (const std::int64_t context : parse_token_counts(text))
      add_new(contexts, context, "--context", token_count_text(context));
  }
  return contexts;
}

study::WhatIfs what_ifs_of(const StudyArgs& args) {
  study::WhatIfs what_if{
      .formats = overrides_of(args), .speculation = speculation_of(args), .prices = {}};
  study::check(what_if.speculation);
  for (const std::string& text : args.prices) {
    study::Price price = parse_price(text);
    for (const study::Price& other : what_if.prices) {
      if (other.chip == price.chip)
        throw UsageError(fmt::format("--price: {} a second time", price.chip));
    }
    what_if.prices.push_back(std::move(price));
  }
  return what_if;
}

void add_output(Verb& verb, OutputArgs& args) {
  verb.text("--format", args.format, "table, csv, json or md", "FORMAT");
  verb.written("-o,--output", args.file,
               "Write to FILE instead of stdout; it appears whole or not at all", "FILE");
  verb.before([&args](const Verb&) { args.to = std::make_shared<OutputFile>(args.file); });
}

Format format_of(const OutputArgs& args) { return choose(format_names, args.format, "--format"); }

void emit(const Table& table, const OutputArgs& args, const std::string& after) {
  args.to->write(render(table, format_of(args)) + after);
  args.to->finish();
}

void emit_at_last(const Table& table, const OutputArgs& args, const std::string& after) {
  try {
    emit(table, args, after);
  } catch (const UsageError&) {
    // The disk ran full in the meantime, say: what took long is shown all the same.
    if (!args.file.empty()) print(render(table, format_of(args)) + after);
    throw;
  }
}

void add_plot(Verb& verb, std::string& file, const char* help) {
  verb.written("--plot", file, help, "FILE");
  verb.before([&file](const Verb&) {
    if (!file.empty()) check_picture(file);
  });
}

void print_notes(const Table& table) {
  for (const std::string& note : table.notes) say(escaped(note) + "\n");
}

int say_left_out(const LeftOut& left_out, int code) {
  for (const std::string& message : left_out) say(message + "; left out\n");
  return left_out.empty() ? code : exit_bad_input;
}

void add_study(Verb& verb, StudyArgs& args) {
  verb.texts("--on", args.hardware, "Chips by name or path; all", "CHIP,..");
  add_what_ifs(verb, args);
  add_contexts(verb, args);
  verb.text("--convention", args.convention, "Counting: paper or exact", "NAME");
  add_plot(verb, args.plot, "Also draw a picture: FILE.svg, .png or .gp");
  verb.flag("--explain", args.explain, "Show where the numbers come from");
  add_output(verb, args.output);
}

void add_contexts(Verb& verb, StudyArgs& args) {
  verb.texts("-c,--context", args.contexts, "Contexts in tokens: 8192, 8k, 4k..128k*2",
             "TOKENS,..");
}

void add_what_ifs(Verb& verb, StudyArgs& args) {
  verb.texts("-m,--model", args.models, "Models by name or path; all", "MODEL,..");
  verb.texts("--price", args.prices, "Price of a chip in USD/h, such as h800=1.6", "CHIP=USD,..");
  verb.text("--attention-dtype", args.attention_dtype,
            "Core attention and its KV cache in bf16, fp8, int8, fp4", "DTYPE");
  verb.text("--kv-dtype", args.kv_dtype, "KV cache in fp32, bf16, fp8, int8, fp4, int4", "DTYPE");
  verb.text("--weight-dtype", args.weight_dtype, "Weights in bf16, fp8, int8, fp4, int4", "DTYPE");
  verb.integer("--mtp", args.drafts, "Draft tokens a step (multi-token prediction)");
  verb.real("--acceptance", args.acceptance, "Probability that a draft is accepted");
}

study::IdealRequest ideal_request(const StudyArgs& args) {
  const Format format = format_of(args.output);
  if (args.explain && format != Format::table)
    throw UsageError("--explain goes with --format table");
  return {.models = args.models,
          .chips = args.hardware,
          .contexts = contexts_of(args),
          .what_if = what_ifs_of(args),
          .convention = choose(convention_names, args.convention, "--convention")};
}

}  // namespace afford::cli
