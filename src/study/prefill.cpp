#include "study/prefill.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "deploy/memory.hpp"
#include "error.hpp"
#include "load/calibrations.hpp"

namespace afford::study {
namespace {

/// Tokens of the prompt and of what is cached before it.
struct Length {
  double prompt = 0, cached = 0;
};

std::string prompts_from(const HardwareSpec& chip) {
  if (chip.measured == nullptr || !borrows_prompts(*chip.measured)) return "";
  return fmt::format("on {} those of {}", chip.name,
                     chip.measured->lender->calibration->provenance.chip);
}

Prefill prefill_of(const Colocated& asked, Setting setting, const Length& length) {
  Colocated c = asked;
  c.batch = c.engines();  // a prompt each
  setting.context = length.cached + length.prompt;
  const HardwareSpec& chip = *c.pool.chip;
  const Evaluation e = evaluate(c, setting);
  PromptLoad load = prompt_load(c.layout);
  load.prompt = length.prompt;
  load.cached = length.cached;
  Prefill row{.model = setting.model->name,
              .label = name_of(c.layout),
              .engine = setting.engine.name,
              .pool = name_of(c.pool),
              .fidelity = fidelity_of(chip),
              .prompts_from = prompts_from(chip),
              .tokens = length.prompt,
              .cached = length.cached,
              .gpus = c.pool.size(),
              .engines = c.engines(),
              .parts = prompt_parts(setting, chip, load),
              .interval = {},
              .launches = prompt_launches(setting) + e.between,
              .cache = cache_of_request(setting),
              .sending = {},
              .price = price_of(c.pool),
              .memory = e.attention_memory};
  row.interval = prompt_interval(row.parts, row.launches, setting.engine.time.prompts);
  if (has_network(chip)) row.sending = cache_sending(chip, c.layout.engine(), setting);
  return row;
}

void add_once(std::vector<std::string>& texts, std::string text) {
  if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(std::move(text));
}

void check(const PrefillRequest& request) {
  check_contexts(request.contexts);
  check_range("cached", request.cached, 0, 1'000'000'000);
  if (request.pools.empty()) throw UsageError("prefill needs a pool");
}

}  // namespace

std::string_view Prefill::bound() const {
  const std::array<std::pair<std::string_view, Seconds>, 5> all = {
      {{"products", parts.products},
       {"attention", parts.core},
       {"all-reduce", parts.all_reduce},
       {"passes", parts.passes},
       {"launches", launches}}};
  return std::max_element(all.begin(), all.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

bool Prefills::all_hold() const {
  return std::all_of(rows.begin(), rows.end(), [](const Prefill& row) { return row.holds(); });
}

Prefills prefills(const PrefillRequest& request) {
  check(request);
  Prefills out;
  for (const Prepared& prepared : prepare(request, &out.left_out)) {
    out.models.push_back(prepared.model);
    for (const ColocatedRequest& pool : request.pools) {
      for (const Deployment& deployment :
           deployments_of(one_prompt_each(request, pool), prepared.model)) {
        const Engines engines = engines_of(request, deployment);
        add_once(out.fidelities, fidelity_text(deployment.chips));
        for (const std::int64_t tokens : request.contexts) {
          const Length length{static_cast<double>(tokens), static_cast<double>(request.cached)};
          out.rows.push_back(prefill_of(*deployment.colocated(),
                                        setting_of(request, prepared, length.prompt, engines),
                                        length));
        }
      }
    }
  }
  return out;
}

}  // namespace afford::study
