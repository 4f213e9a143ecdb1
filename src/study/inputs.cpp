#include "study/inputs.hpp"

#include <fmt/format.h>

#include "error.hpp"
#include "text/suggest.hpp"

namespace afford::study {

std::vector<ModelSpec> load_models_as(const std::vector<std::string>& names,
                                      const FormatOverrides& formats, LeftOut* left_out) {
  if (formats.weights == Dtype::fp32) {
    throw ValueError("weight dtype",
                     ": fp32 products are not modelled; expected one of bf16, fp8, int8, fp4, "
                     "int4");
  }
  std::vector<ModelSpec> models;
  for (ModelSpec& model : load_models(names, left_out))
    models.push_back(with_formats(std::move(model), formats));
  require_distinct(models, "model");
  return models;
}

void apply_prices(const std::vector<HardwareSpec*>& chips, const std::vector<Price>& prices) {
  std::vector<std::string> names;
  for (const HardwareSpec* chip : chips) names.push_back(chip->name);
  for (const Price& price : prices) {
    bool found = false;
    for (HardwareSpec* chip : chips) {
      if (chip->name != price.chip) continue;
      chip->price = {.value = price.rate, .source = price.source, .estimate = false};
      chip->price_given = true;
      found = true;
    }
    if (found) continue;
    throw ValueError("price", fmt::format(": '{}' is not among the chips of this run{}", price.chip,
                                          suggestion(price.chip, names)));
  }
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

}  // namespace afford::study
