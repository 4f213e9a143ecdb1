#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "error.hpp"
#include "load/folders.hpp"
#include "search/fingerprint.hpp"
#include "study/case_searches.hpp"
#include "study/frontier.hpp"

namespace afford::study {
namespace {

/// The chips of a run: those that decode first, behind them those that work off prompts alone.
struct RunChips {
  std::shared_ptr<const std::vector<HardwareSpec>> all;
  std::vector<HardwareSpec> decoding;  // for what looks at these alone
  std::vector<size_t> prompts;         // among all
};

std::vector<std::string> chip_names(const std::vector<HardwareSpec>& chips) {
  std::vector<std::string> names;
  for (const HardwareSpec& chip : chips) names.push_back(chip.name);
  return names;
}

bool contains(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

/// The chips that prompts may be sent to, by name; those that do not decode are added to `chips`.
std::vector<std::string> add_prompt_chips(std::vector<std::string>& chips,
                                          const RequestsAsked& requests, LeftOut* left_out) {
  std::vector<std::string> known = chip_names(load_hardware(chips, {}, left_out)), wanted;
  for (const std::string& text : requests.prompt_chips) {
    for (const HardwareSpec& chip : load_hardware({text}, {}, left_out)) {
      if (!has_network(chip) && text == "all") continue;
      if (!has_network(chip))
        throw ValueError("prefill",
                         fmt::format(": {} states no NIC, to send caches on", chip.name));
      wanted.push_back(chip.name);
      const bool same = contains(chips, text) || (!is_path(text) && contains(known, chip.name));
      if (!same) chips.push_back(text == "all" ? chip.name : text);
      known.push_back(chip.name);
    }
  }
  return wanted;
}

RunChips run_chips(const FrontierRequest& request, LeftOut* left_out) {
  std::vector<std::string> names = request.chips, prompts;
  const bool named = request.requests && !request.requests->prompt_chips.empty();
  if (named) prompts = add_prompt_chips(names, *request.requests, left_out);
  const size_t added = names.size() - request.chips.size();
  auto all = std::make_shared<const std::vector<HardwareSpec>>(chips_of(names, request, left_out));
  RunChips chips{.all = all, .decoding = {all->begin(), all->end() - std::ptrdiff_t(added)}};
  for (size_t i = 0; request.requests && i < all->size(); ++i) {
    if (has_network((*all)[i]) && (!named || contains(prompts, (*all)[i].name)))
      chips.prompts.push_back(i);
  }
  return chips;
}

[[noreturn]] void fail_without_servers(const FrontierCase& c, std::string_view chips) {
  throw ValueError("prefill",
                   fmt::format(": {} within {} accelerators hold {}, to work off prompts", chips,
                               c.space.max_gpus, c.prepared->model.name));
}

/// The pools that prompts may be sent to. Chips that are named must hold the model.
std::vector<PrefillPool> pools_for(const FrontierCase& c, const RunChips& chips,
                                   const RequestsAsked& asked, const WholeRequests& requests) {
  const bool named = !asked.prompt_chips.empty() && !contains(asked.prompt_chips, "all");
  const size_t most = asked.ttft_limit ? pools_for_ttft : 1;
  Setting at_prompt = c.setting;
  at_prompt.context = requests.prompt;
  std::vector<PrefillPool> out;
  for (const size_t at : chips.prompts) {
    const HardwareSpec& chip = (*chips.all)[at];
    const std::vector<Colocated> pools = prompt_pools(chip, c.space.max_gpus, at_prompt, most);
    if (pools.empty() && named) fail_without_servers(c, fmt::format("no servers of {}", chip.name));
    for (const Colocated& pool : pools) {
      out.push_back(timed(pool, c.setting, requests));
      out.back().chip = static_cast<std::uint32_t>(at);
    }
  }
  const auto& ways = c.space.ways;
  if (out.empty() &&
      std::all_of(ways.begin(), ways.end(), [](Way way) { return way == Way::disaggregated; }))
    fail_without_servers(c, "no servers with NICs");
  return out;
}

void add_requests(FrontierCase& c, const RunChips& chips, const RequestsAsked& asked) {
  WholeRequests requests{.prompt = real(asked.prompt),
                         .output = real(asked.output),
                         .hit_rate = asked.prefix_hit_rate,
                         .ttft_limit = asked.ttft_limit,
                         .pools = {}};
  requests.pools = pools_for(c, chips, asked, requests);
  c.space.requests = std::move(requests);
}

void check(const RequestsAsked& asked, const FrontierRequest& request) {
  constexpr std::int64_t most = 1'000'000'000;
  check_range("isl", asked.prompt, 1, most);
  check_range("osl", asked.output, 1, most);
  if (!(asked.prefix_hit_rate >= 0 && asked.prefix_hit_rate < 1))
    throw ValueError("prefix hit rate", ": expected a share from 0 to below 1");
  if (!request.inventory.empty())
    throw ValueError("inventory",
                     ": servers for prompts are a share of accelerators, which it does not bound");
  for (const SweptValue& value : request.sweep.front()) {
    if (value.parameter == Parameter::inventory)
      throw ValueError("sweep", ": servers for prompts are a share of accelerators, which " +
                                    value.name() + " does not bound");
    if (value.parameter == Parameter::context)
      throw ValueError("sweep", ": the context follows from the lengths of the requests");
  }
}

/// The ways of a case that differs from an earlier one in prices alone are the same.
void take_ways(FrontierCase& c, const FrontierCase& of) {
  c.space.ways = of.space.ways;
  c.widened = of.widened;
}

/// Chips that work off prompts alone decode nothing.
void keep_for_prompts(Space& space, const RunChips& chips) {
  if (chips.decoding.size() == chips.all->size()) return;
  space.inventory.assign(chips.all->size(), 0);
  std::fill_n(space.inventory.begin(), chips.decoding.size(), most_gpus);
}

/// The mean over the tokens of an output, rounded up: what simulate takes.
FrontierRequest with_context(FrontierRequest request) {
  if (request.requests) {
    check(*request.requests, request);
    request.contexts = {request.requests->prompt + request.requests->output / 2};
  }
  return request;
}

}  // namespace

std::vector<FrontierCase> frontier_cases(const FrontierRequest& request,
                                         const std::atomic<bool>* stop) {
  const FrontierRequest whole = with_context(request);
  check_contexts(whole.contexts);
  std::vector<FrontierCase> cases;
  std::map<std::string, size_t> first_alike;
  LeftOut left_out;
  const auto stopped = [&] { return stop != nullptr && *stop; };
  for (const SweepPoint& point : request.sweep) {
    if (stopped()) return {};
    FrontierRequest applied = whole;
    apply_sweep(point, applied);
    const RunChips chips = run_chips(applied, &left_out);
    if (counts_money(applied.objective))
      require_prices(*chips.all, fmt::format("objective {}", name_of(applied.objective)));
    const Engines engines = engines_of(applied, chips.decoding);
    for (Prepared& model : prepare(applied, &left_out)) {
      const auto prepared = std::make_shared<const Prepared>(std::move(model));
      for (const std::int64_t context : applied.contexts) {
        if (stopped()) return {};
        cases.push_back(
            {.number = cases.size() + 1,
             .swept = point,
             .chips = chips.all,
             .prepared = prepared,
             .space = space_of(applied, *chips.all, engines, prepared->model),
             .setting = setting_of(applied, *prepared, static_cast<double>(context), engines),
             .ideal = {},
             .objective = request.objective,
             .shard = request.shard,
             .pue = request.what_if.pue});
        keep_for_prompts(cases.back().space, chips);
        const auto [first, added] =
            first_alike.try_emplace(but_for_prices(cases.back()), cases.size() - 1);
        FrontierCase& c = cases.back();
        if (added) {
          c.widened = widen(c.space, applied, c.setting, stop);
        } else {
          take_ways(c, cases[first->second]);
        }
        if (applied.requests) add_requests(cases.back(), chips, *applied.requests);
        cases.back().ideal = without_engine(applied, cases.back().setting, engines);
      }
    }
  }
  std::string searches;
  std::map<std::string, Samples> samples;
  for (const FrontierCase& c : cases) {
    const std::string alike = same_candidates(c);
    auto known = samples.find(alike);
    if (known == samples.end())
      known = samples.emplace(alike, samples_of(c.space, c.setting, stop)).first;
    if (stopped()) return {};
    searches += fingerprint(known->second, c.space, c.setting, c.objective);
  }
  for (FrontierCase& c : cases) {
    c.search = fingerprint(searches);
    c.left_out = left_out;
    c.shipped_engines = (data_folder() / "engines").string();
  }
  return cases;
}

}  // namespace afford::study
