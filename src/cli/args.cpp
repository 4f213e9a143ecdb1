#include "cli/args.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "cli/choose.hpp"
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

study::Owned parse_owned(const std::string& text) {
  const size_t equals = text.find('='), slash = text.find('/', equals);
  if (equals != std::string::npos && slash != std::string::npos) {
    const auto cost = parse_real(text.substr(equals + 1, slash - equals - 1));
    const auto years = parse_real(text.substr(slash + 1));
    if (cost && years && *cost > 0 && *cost <= 1e9 && *years >= 0.1 && *years <= 100)
      return {.chip = text.substr(0, equals), .cost = Usd(*cost), .years = *years};
  }
  throw UsageError(
      fmt::format("--own: expected CHIP=USD/YEARS such as h800=30000/4, got '{}'", text));
}

study::UsdPerJoule parse_electricity(const std::string& text) {
  const size_t end = text.find_first_not_of("0123456789.");
  const auto price = parse_real(text.substr(0, end));
  std::string unit = end == std::string::npos ? "" : text.substr(end);
  if (unit.starts_with(' ')) unit.erase(0, 1);
  if (price && *price > 0 && *price <= 1000 && unit == "USD/kWh")
    return Usd(*price) / study::kilowatt_hour;
  throw UsageError(
      fmt::format("--electricity: expected a price such as '0.10 USD/kWh', got '{}'", text));
}

void add_ownership(study::WhatIfs& what_if, const StudyArgs& args) {
  for (const std::string& text : args.owned) {
    study::Owned owned = parse_owned(text);
    for (const study::Owned& other : what_if.owned) {
      if (other.chip == owned.chip)
        throw UsageError(fmt::format("--own: {} a second time", owned.chip));
    }
    what_if.owned.push_back(std::move(owned));
  }
  if (!args.electricity.empty()) what_if.electricity = parse_electricity(args.electricity);
  if (!args.electricity.empty() && args.owned.empty())
    throw UsageError("--electricity has no effect without --own: rent has it in");
  what_if.pue = args.pue;
}

Edit parse_edit(const std::string& text) {
  const size_t equals = text.find('='), dot = text.find('.');
  if (equals == std::string::npos || dot > equals || dot == 0 || dot + 1 == equals ||
      equals + 1 == text.size()) {
    throw UsageError(fmt::format(
        "--set: expected PATH=VALUE such as h800.memory.bandwidth='4 TB/s', got '{}'", text));
  }
  return {.entry = text.substr(0, dot),
          .path = text.substr(dot + 1, equals - dot - 1),
          .value = text.substr(equals + 1)};
}

bool swept(const StudyArgs& args, const std::string& parameter) {
  return std::any_of(args.sweeps.begin(), args.sweeps.end(),
                     [&](const std::string& sweep) { return sweep.starts_with(parameter + "="); });
}

/// One of drafts and acceptance, or both, may come from a sweep.
Speculation speculation_of(const StudyArgs& args) {
  const bool given = !std::isnan(args.acceptance);
  const bool drafts = args.drafts > 0 || swept(args, "mtp");
  const bool accepted = given || swept(args, "acceptance");
  if (drafts && !accepted)
    throw UsageError("--mtp needs --acceptance P, the share of drafts that are accepted");
  if (accepted && !drafts) throw UsageError("--acceptance needs --mtp N");
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

/// What an hour of a chip costs is said by one flag.
void refuse_second_price(std::string_view flag, const std::string& chip,
                         const study::WhatIfs& what_if) {
  for (const Edit& edit : what_if.edits) {
    if (edit.entry == chip && (edit.path == "price" || edit.path == "price.value"))
      throw UsageError(
          fmt::format("{} and --set {} say the same thing; give one of them", flag, edit.name()));
  }
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
  study::WhatIfs what_if{.formats = overrides_of(args),
                         .speculation = speculation_of(args),
                         .prices = {},
                         .owned = {},
                         .electricity = {},
                         .edits = {}};
  add_ownership(what_if, args);
  study::check(what_if);
  for (const std::string& text : args.edits) {
    Edit edit = parse_edit(text);
    for (const Edit& other : what_if.edits) {
      if (other.name() == edit.name())
        throw UsageError(fmt::format("--set: {} a second time", edit.name()));
    }
    what_if.edits.push_back(std::move(edit));
  }
  for (const std::string& text : args.prices) {
    study::Price price = parse_price(text);
    for (const study::Price& other : what_if.prices) {
      if (other.chip == price.chip)
        throw UsageError(fmt::format("--price: {} a second time", price.chip));
    }
    refuse_second_price("--price", price.chip, what_if);
    what_if.prices.push_back(std::move(price));
  }
  for (const study::Owned& owned : what_if.owned) {
    refuse_second_price("--own", owned.chip, what_if);
    for (const study::Price& price : what_if.prices) {
      if (price.chip == owned.chip)
        throw UsageError(fmt::format(
            "--price and --own say what an hour of {} costs; give one of them", owned.chip));
    }
  }
  return what_if;
}

void require_effect(const Edits& edits, const Table& with,
                    const std::function<Table(const Edits&)>& without) {
  for (const Edit& edit : edits) {
    Edits others;
    std::copy_if(edits.begin(), edits.end(), std::back_inserter(others),
                 [&](const Edit& other) { return other.name() != edit.name(); });
    if (render(without(others), Format::csv) == render(with, Format::csv))
      throw UsageError(fmt::format("--set: {} changes nothing in this run", edit.name()));
  }
}

void add_study(Verb& verb, StudyArgs& args, Prices prices) {
  verb.texts("--on", args.hardware, "Chips by name or path; all", "CHIP,..");
  if (prices == Prices::used)
    add_what_ifs(verb, args);
  else
    add_shape_what_ifs(verb, args);
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
  add_shape_what_ifs(verb, args);
  verb.texts("--price", args.prices, "Price of a chip in USD/h, such as h800=1.6", "CHIP=USD,..");
  verb.texts("--own", args.owned, "A chip bought instead of rented: USD over years, h800=30000/4",
             "CHIP=USD/Y,..");
  verb.text("--electricity", args.electricity, "Its electricity, such as 0.10USD/kWh", "PRICE");
  verb.real("--pue", args.pue, "Power of the site over that of its accelerators (1)");
}

void add_shape_what_ifs(Verb& verb, StudyArgs& args) {
  verb.texts("-m,--model", args.models, "Models by name or path; all", "MODEL,..");
  verb.repeated("--set", args.edits,
                "One value of a file: model.ffn.moe.experts=96, h800.memory.bandwidth='4 TB/s', "
                "engine.gemm.memory=0.95",
                "PATH=VALUE");
  verb.text("--attention-dtype", args.attention_dtype,
            "Core attention and its KV cache in bf16, fp8, int8, fp4", "DTYPE");
  verb.text("--kv-dtype", args.kv_dtype, "KV cache in fp32, bf16, fp8, int8, fp4, int4", "DTYPE");
  verb.text("--weight-dtype", args.weight_dtype, "Weights in bf16, fp8, int8, fp4, int4", "DTYPE");
  verb.integer("--mtp", args.drafts, "Draft tokens a step (multi-token prediction)");
  verb.real("--acceptance", args.acceptance, "Probability that a draft is accepted");
}

void refuse_pue_without_electricity(const StudyArgs& args) {
  if (args.pue != 1 && args.electricity.empty())
    throw UsageError("--pue has no effect without --electricity");
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
