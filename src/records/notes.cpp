#include "records/notes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "kernels/formats.hpp"

namespace afford {
namespace {

/// "weights int8, KV int8, attention in bf16, GEMMs in bf16".
std::string formats_text(const Precision& run) {
  return fmt::format("weights {}, KV {}, attention computed in {}, GEMMs in {}",
                     name_of(run.ffn_weights), name_of(run.kv), name_of(run.attention_compute),
                     name_of(run.ffn_compute));
}

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

/// Of drafts whose number or acceptance is not swept.
std::string drafts_text(const Speculation& s, const study::SweepPoint& swept) {
  const auto is_swept = [&](study::Parameter parameter) {
    return std::any_of(swept.begin(), swept.end(), [&](const study::SweptValue& value) {
      return value.parameter == parameter;
    });
  };
  if (is_swept(study::Parameter::drafts)) return "MTP, draft layers counted";
  if (s.drafts == 0) return "";
  const std::string drafts = fmt::format("MTP with {} draft{}", s.drafts, s.drafts > 1 ? "s" : "");
  if (is_swept(study::Parameter::acceptance)) return drafts + ", draft layers counted";
  return fmt::format("{} at {:.0f}% acceptance, {:.3g} tokens a step, draft layers counted", drafts,
                     100 * s.acceptance, tokens_per_step(s));
}

/// Chips and models that fall back on the same formats.
struct Fallback {
  std::string formats;
  std::vector<std::string> chips, models;
};

std::vector<Fallback> fallbacks_of(const study::IdealInputs& inputs) {
  std::vector<Fallback> fallbacks;
  for (const HardwareSpec& chip : inputs.chips) {
    for (const ModelSpec& model : inputs.models) {
      if (!falls_back(chip, model.precision)) continue;
      const std::string text = formats_text(precision_on(chip, model.precision));
      auto same = std::find_if(fallbacks.begin(), fallbacks.end(),
                               [&](const Fallback& f) { return f.formats == text; });
      if (same == fallbacks.end()) same = fallbacks.insert(same, {text, {}, {}});
      add_once(same->chips, chip.name);
      add_once(same->models, model.name);
    }
  }
  return fallbacks;
}

}  // namespace

std::vector<std::string> notes_on(const study::IdealInputs& inputs, const study::WhatIfs& what_if) {
  std::vector<std::string> notes = {
      "Fidelity: ideal. Every part runs at its roof, batches are large, communication is hidden.",
      inputs.convention == Convention::paper
          ? "Counting: paper. MLA at 576/576, no router, no LM head (--convention exact for those)."
          : "Counting: exact. MLA values at kv_rank, router and LM head included."};
  for (const Fallback& fallback : fallbacks_of(inputs)) {
    const bool all = fallback.models.size() == inputs.models.size();
    notes.push_back(fmt::format("Fallback on {}{}: {}.", fmt::join(fallback.chips, ", "),
                                all ? "" : fmt::format(" for {}", fmt::join(fallback.models, ", ")),
                                fallback.formats));
  }
  std::vector<std::string> estimates;
  for (const HardwareSpec& chip : inputs.chips) {
    if (chip.price.estimate) estimates.push_back(chip.name);
  }
  if (!estimates.empty())
    notes.push_back(fmt::format("Price is an estimate: {}.", fmt::join(estimates, ", ")));
  if (const std::string note = what_if_note(what_if); !note.empty()) notes.push_back(note);
  const auto longest = std::max_element(inputs.contexts.begin(), inputs.contexts.end());
  for (const ModelSpec& model : inputs.models)
    add_model_notes(notes, model, longest == inputs.contexts.end() ? 0 : real(*longest));
  return notes;
}

void add_model_notes(std::vector<std::string>& notes, const ModelSpec& model, double context) {
  for (const std::string& note : model.notes)
    add_once(notes, fmt::format("{}: {}", model.name, note));
  if (model.max_context > 0 && context > real(model.max_context)) {
    add_once(notes, fmt::format("{} has positions for {} tokens; a context of {:.0f} is beyond.",
                                model.name, model.max_context, context));
  }
}

std::string what_if_note(const study::WhatIfs& what_if, const study::SweepPoint& swept) {
  std::vector<std::string> parts;
  const auto add_format = [&](std::string_view what, const std::optional<Dtype>& format) {
    if (format) parts.push_back(fmt::format("{} in {}", what, name_of(*format)));
  };
  add_format("attention and KV", what_if.formats.attention);
  add_format("KV", what_if.formats.kv);
  add_format("weights", what_if.formats.weights);
  for (const Edit& edit : what_if.edits)
    parts.push_back(fmt::format("{} = {}", edit.name(), edit.value));
  for (const study::Price& price : what_if.prices) parts.push_back("price " + price.stated);
  for (const study::Owned& owned : what_if.owned) {
    parts.push_back(fmt::format("own {} at {:.0f} USD over {} years", owned.chip, owned.cost / usd,
                                owned.years));
  }
  if (what_if.electricity > study::UsdPerJoule(0)) {
    parts.push_back(fmt::format("electricity {:.3g} USD/kWh, PUE {}",
                                what_if.electricity * study::kilowatt_hour / usd, what_if.pue));
  }
  if (const std::string drafts = drafts_text(what_if.speculation, swept); !drafts.empty())
    parts.push_back(drafts);
  return parts.empty() ? "" : fmt::format("What if: {}.", fmt::join(parts, "; "));
}

std::string prices_text(const std::vector<HardwareSpec>& chips) {
  std::string text = "Prices, USD/h:";
  for (const HardwareSpec& chip : chips) {
    text += fmt::format("{} {} {:.2f}{}", &chip == chips.data() ? "" : ",", chip.name,
                        chip.price.value / usd_per_hour, chip.price.estimate ? " (estimate)" : "");
  }
  return text + ".";
}

}  // namespace afford
