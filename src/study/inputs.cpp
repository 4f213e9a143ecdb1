#include "study/inputs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "error.hpp"
#include "text/suggest.hpp"

namespace afford::study {

void check_range(const std::string& option, std::int64_t value, std::int64_t least,
                 std::int64_t most) {
  if (value < least || value > most)
    throw ValueError(option, fmt::format(": expected {} to {}, got {}", least, most, value));
}

void require_edits_used(const Edits& edits, const std::vector<std::string>& chips) {
  std::vector<std::string> entries = {"model", "engine"};
  entries.insert(entries.end(), chips.begin(), chips.end());
  for (const Edit& edit : edits) {
    if (std::find(entries.begin(), entries.end(), edit.entry) != entries.end()) continue;
    throw ValueError(edit.flag(),
                     fmt::format(": '{}' is neither model, engine nor a chip of this run{}",
                                 edit.entry, suggestion(edit.entry, entries)));
  }
}

std::vector<ModelSpec> load_models_as(const std::vector<std::string>& names, const WhatIfs& what_if,
                                      LeftOut* left_out) {
  check(what_if);
  const FormatOverrides& formats = what_if.formats;
  if (formats.weights == Dtype::fp32) {
    throw ValueError("weight dtype",
                     ": fp32 products are not modelled; expected one of bf16, fp8, int8, fp4, "
                     "int4");
  }
  std::vector<ModelSpec> models;
  for (ModelSpec& model : load_models(names, what_if.edits, left_out))
    models.push_back(with_formats(std::move(model), formats));
  require_distinct(models, "model");
  return models;
}

namespace {

/// The chips of that name, of which there must be one.
std::vector<HardwareSpec*> named(const std::vector<HardwareSpec*>& chips, const std::string& name,
                                 const std::string& flag) {
  std::vector<HardwareSpec*> found;
  std::vector<std::string> names;
  for (HardwareSpec* chip : chips) {
    names.push_back(chip->name);
    if (chip->name == name) found.push_back(chip);
  }
  if (!found.empty()) return found;
  throw ValueError(flag, fmt::format(": '{}' is not among the chips of this run{}", name,
                                     suggestion(name, names)));
}

UsdRate price_of(const Owned& owned, const HardwareSpec& chip, const WhatIfs& what_if) {
  constexpr Seconds year = 8766 * hour;
  const UsdRate purchase = owned.cost / (owned.years * year);
  if (what_if.electricity <= UsdPerJoule(0)) return purchase;
  if (!chip.power.stated())
    throw ValueError("electricity", fmt::format(": {} states no power", chip.name));
  return purchase + what_if.pue * chip.power.value * what_if.electricity;
}

}  // namespace

void apply_prices(const std::vector<HardwareSpec*>& chips, const WhatIfs& what_if) {
  for (const Price& price : what_if.prices) {
    for (HardwareSpec* chip :
         named(chips, price.chip, price.source == "sweep" ? "sweep" : "price")) {
      chip->price = {.value = price.rate, .source = price.source, .estimate = false};
      chip->price_given = true;
    }
  }
  for (const Owned& owned : what_if.owned) {
    for (HardwareSpec* chip : named(chips, owned.chip, "own")) {
      chip->price = {
          .value = price_of(owned, *chip, what_if), .source = "--own", .estimate = false};
      chip->price_given = true;
    }
  }
}

void require_prices(const std::vector<HardwareSpec>& chips, std::string_view what) {
  std::vector<std::string> missing;
  for (const HardwareSpec& chip : chips) {
    if (!chip.price.stated()) missing.push_back(chip.name);
  }
  if (missing.empty()) return;
  throw ValueError(
      "price", fmt::format(": {} needs one of {}, whose file{} none; such as {}=1.50", what,
                           fmt::join(missing, ", "), missing.size() == 1 ? " states" : "s state",
                           missing.front()));
}

void check(const Speculation& speculation) {
  constexpr int most_drafts = 16;
  if (speculation.drafts < 0 || speculation.drafts > most_drafts) {
    throw ValueError("drafts",
                     fmt::format(": expected a number of draft tokens from 0 to {}, got {}",
                                 most_drafts, speculation.drafts));
  }
  if (!(speculation.acceptance >= 0 && speculation.acceptance <= 1)) {
    throw ValueError("acceptance", fmt::format(": expected a probability from 0 to 1, got {}",
                                               speculation.acceptance));
  }
}

void check(const WhatIfs& what_if) {
  check(what_if.speculation);
  for (const Price& price : what_if.prices) {
    if (!(price.rate > UsdRate(0)))
      throw ValueError("price", fmt::format(": expected more than zero for {}", price.chip));
  }
  for (const Owned& owned : what_if.owned) {
    if (!(owned.cost > Usd(0) && owned.years > 0))
      throw ValueError("own",
                       fmt::format(": expected a cost and years above zero for {}", owned.chip));
  }
  if (!(what_if.pue >= 1 && what_if.pue <= 10))
    throw ValueError("pue", fmt::format(": expected a number from 1 to 10, got {}", what_if.pue));
}

void check_contexts(const std::vector<std::int64_t>& contexts) {
  if (contexts.empty()) throw ValueError("context", ": expected at least one");
  for (const std::int64_t context : contexts) check_range("context", context, 1, 1'000'000'000);
}

}  // namespace afford::study
