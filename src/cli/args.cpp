#include "cli/args.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>

#include "cli/choose.hpp"
#include "kernels/formats.hpp"
#include "report/gnuplot.hpp"
#include "report/output_file.hpp"
#include "spec/overrides.hpp"
#include "text/number.hpp"
#include "text/quantity.hpp"

namespace afford::cli {
namespace {

constexpr std::string_view given_price = "--price";

UsdRate parse_price(const std::string& text) {
  // On the command line a bare number is USD/h, the only unit prices have.
  if (const auto bare = parse_real(text); bare && *bare > 0) return *bare * usd_per_hour;
  std::string why;
  const auto price = parse_quantity<Dimension{.time = -1, .usd = 1}>(text, why);
  if (!price || *price <= UsdRate(0)) {
    throw UsageError(fmt::format("--price: {}", price ? "expected more than zero" : why));
  }
  return *price;
}

std::optional<Dtype> optional_dtype(const std::string& text, std::string_view flag) {
  if (text.empty()) return std::nullopt;
  return choose(dtype_names, text, flag);
}

template <class Spec, class Predicate>
std::vector<std::string> names_where(const std::vector<Spec>& specs, Predicate predicate) {
  std::vector<std::string> names;
  for (const Spec& spec : specs) {
    if (predicate(spec)) names.push_back(spec.name);
  }
  return names;
}

/// "weights int8, KV int8, attention in bf16, GEMMs in bf16".
std::string formats_text(const Precision& run) {
  return fmt::format("weights {}, KV {}, attention computed in {}, GEMMs in {}",
                     name_of(run.ffn_weights), name_of(run.kv), name_of(run.attention_compute),
                     name_of(run.ffn_compute));
}

/// One note for each way in which chips fall back, with the chips and models it concerns.
void note_fallbacks(Study& study) {
  struct Fallback {
    std::string text;
    std::vector<std::string> chips, models;
  };
  const auto add_once = [](std::vector<std::string>& names, const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  std::vector<Fallback> fallbacks;
  for (const HardwareSpec& chip : study.chips) {
    for (const ModelSpec& model : study.models) {
      if (!falls_back(chip, model.precision)) continue;
      const std::string text = formats_text(precision_on(chip, model.precision));
      auto same = std::find_if(fallbacks.begin(), fallbacks.end(),
                               [&](const Fallback& f) { return f.text == text; });
      if (same == fallbacks.end()) same = fallbacks.insert(same, {text, {}, {}});
      add_once(same->chips, chip.name);
      add_once(same->models, model.name);
    }
  }
  for (const Fallback& fallback : fallbacks) {
    const bool all = fallback.models.size() == study.models.size();
    study.notes.push_back(fmt::format(
        "Fallback on {}{}: {}.", fmt::join(fallback.chips, ", "),
        all ? "" : fmt::format(" for {}", fmt::join(fallback.models, ", ")), fallback.text));
  }
}

void note_assumptions(Study& study) {
  study.notes.push_back(
      "Fidelity: ideal. Every part runs at its roof, batches are large, communication is hidden.");
  study.notes.push_back(
      study.convention == Convention::paper
          ? "Counting: paper. MLA at 576/576, no router, no LM head (--convention exact for those)."
          : "Counting: exact. MLA values at kv_rank, router and LM head included.");
  note_fallbacks(study);
  const auto estimates =
      names_where(study.chips, [](const HardwareSpec& c) { return c.price.estimate; });
  if (!estimates.empty())
    study.notes.push_back(fmt::format("Price is an estimate: {}.", fmt::join(estimates, ", ")));
}

FormatOverrides overrides_of(const StudyArgs& args) {
  FormatOverrides formats{.attention = std::nullopt,
                          .kv = optional_dtype(args.kv_dtype, "--kv-dtype"),
                          .weights = optional_dtype(args.weight_dtype, "--weight-dtype")};
  if (!args.attention_dtype.empty()) {
    formats.attention = choose(compute_dtype_names, args.attention_dtype, "--attention-dtype");
  }
  if (formats.weights == Dtype::fp32) {
    throw UsageError(
        "--weight-dtype: fp32 products are not modelled; expected one of bf16, fp8, int8, fp4, "
        "int4");
  }
  return formats;
}

}  // namespace

void apply_prices(const std::vector<HardwareSpec*>& chips, const std::vector<std::string>& prices) {
  for (const std::string& text : prices) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos) {
      throw UsageError(
          fmt::format("--price: expected CHIP=USD_PER_HOUR such as h800=1.6, got '{}'", text));
    }
    const std::string name = text.substr(0, equals);
    const UsdRate rate = parse_price(text.substr(equals + 1));
    bool found = false;
    std::vector<std::string> names;
    for (HardwareSpec* chip : chips) {
      names.push_back(chip->name);
      if (chip->name != name) continue;
      chip->price = {.value = rate, .source = std::string(given_price), .estimate = false};
      found = true;
    }
    if (!found) {
      throw UsageError(fmt::format("--price: '{}' is not among the chips of this run{}", name,
                                   suggestion(name, names)));
    }
  }
}

Speculation speculation_of(const StudyArgs& args) {
  constexpr int most_drafts = 16;
  if (args.drafts < 0 || args.drafts > most_drafts) {
    throw UsageError(fmt::format("--mtp: expected a number of draft tokens from 0 to {}, got {}",
                                 most_drafts, args.drafts));
  }
  const bool given = args.acceptance != -1;
  if (given && !(args.acceptance >= 0 && args.acceptance <= 1)) {
    throw UsageError(
        fmt::format("--acceptance: expected a probability from 0 to 1, got {}", args.acceptance));
  }
  if (args.drafts > 0 && !given)
    throw UsageError("--mtp needs --acceptance P, the share of drafts that are accepted");
  if (args.drafts == 0 && given) throw UsageError("--acceptance needs --mtp N");
  return {.drafts = args.drafts, .acceptance = given ? args.acceptance : 0};
}

std::vector<ModelSpec> models_of(const StudyArgs& args) {
  const FormatOverrides formats = overrides_of(args);
  std::vector<ModelSpec> models;
  for (ModelSpec& model : load_models(args.models))
    models.push_back(with_formats(std::move(model), formats));
  return models;
}

std::vector<std::int64_t> contexts_of(const StudyArgs& args) {
  std::vector<std::int64_t> contexts;
  for (const std::string& text : args.contexts) {
    for (const std::int64_t context : parse_token_counts(text)) contexts.push_back(context);
  }
  return contexts;
}

std::string what_ifs(const StudyArgs& args, const Speculation& speculation) {
  std::vector<std::string> parts;
  if (!args.attention_dtype.empty()) parts.push_back("attention and KV in " + args.attention_dtype);
  if (!args.kv_dtype.empty()) parts.push_back("KV in " + args.kv_dtype);
  if (!args.weight_dtype.empty()) parts.push_back("weights in " + args.weight_dtype);
  for (const std::string& price : args.prices) parts.push_back("price " + price);
  if (speculation.drafts > 0) {
    parts.push_back(fmt::format(
        "MTP with {} draft{} at {:.0f}% acceptance, {:.3g} tokens a step, draft layers counted",
        speculation.drafts, speculation.drafts > 1 ? "s" : "", 100 * speculation.acceptance,
        tokens_per_step(speculation)));
  }
  return parts.empty() ? "" : fmt::format("What if: {}.", fmt::join(parts, "; "));
}

void add_output(Verb& verb, OutputArgs& args) {
  verb.text("--format", args.format, "table, csv, json or md", "FORMAT");
  verb.text("-o,--output", args.file,
            "Write to FILE instead of stdout; it appears whole or not at all", "FILE");
}

Format format_of(const OutputArgs& args) { return choose(format_names, args.format, "--format"); }

void emit(const Table& table, const OutputArgs& args, const std::string& after) {
  const std::string text = render(table, format_of(args)) + after;
  if (!args.file.empty()) return write_whole(args.file, text);
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw UsageError("cannot write to standard output");
  }
}

void add_study(Verb& verb, StudyArgs& args) {
  verb.texts("--on", args.hardware, "Chips by name or path; all", "CHIP,..");
  add_what_ifs(verb, args);
  verb.text("--convention", args.convention, "Counting: paper or exact", "NAME");
  verb.text("--plot", args.plot, "Also draw a picture: FILE.svg, .png or .gp", "FILE");
  verb.flag("--explain", args.explain, "Show where the numbers come from");
  add_output(verb, args.output);
}

void add_what_ifs(Verb& verb, StudyArgs& args) {
  verb.texts("-m,--model", args.models, "Models by name or path; all", "MODEL,..");
  verb.texts("-c,--context", args.contexts, "Contexts in tokens: 8192, 8k, 4k..128k*2",
             "TOKENS,..");
  verb.texts("--price", args.prices, "Price of a chip in USD/h, such as h800=1.6", "CHIP=USD,..");
  verb.text("--attention-dtype", args.attention_dtype,
            "Core attention and its KV cache in bf16, fp8, int8, fp4", "DTYPE");
  verb.text("--kv-dtype", args.kv_dtype, "KV cache in fp32, bf16, fp8, int8, fp4, int4", "DTYPE");
  verb.text("--weight-dtype", args.weight_dtype, "Weights in bf16, fp8, int8, fp4, int4", "DTYPE");
  verb.integer("--mtp", args.drafts, "Draft tokens a step (multi-token prediction)");
  verb.real("--acceptance", args.acceptance, "Probability that a draft is accepted");
}

Study load_study(const StudyArgs& args) {
  Study study;
  const Format format = format_of(args.output);
  if (args.explain && format != Format::table)
    throw UsageError("--explain goes with --format table");
  if (!args.plot.empty()) check_picture(args.plot);
  study.convention = choose(convention_names, args.convention, "--convention");
  study.speculation = speculation_of(args);
  study.contexts = contexts_of(args);
  study.models = models_of(args);
  study.chips = load_hardware(args.hardware);
  std::vector<HardwareSpec*> chips;
  for (HardwareSpec& chip : study.chips) chips.push_back(&chip);
  apply_prices(chips, args.prices);
  for (const ModelSpec& model : study.models) {
    study.terms.push_back(decode_terms(model, study.convention, study.speculation));
  }
  note_assumptions(study);
  if (const std::string note = what_ifs(args, study.speculation); !note.empty())
    study.notes.push_back(note);
  return study;
}

std::string price_origin(const HardwareSpec& chip) {
  if (chip.price.source == given_price) return "given";
  return chip.price.estimate ? "estimate" : "published";
}

}  // namespace afford::cli
