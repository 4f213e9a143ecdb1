#include "study/rental.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "error.hpp"
#include "load/library.hpp"
#include "yaml/document.hpp"

namespace afford::study {
namespace {

/// The offer of each chip of the run: the workload's, or on demand at the file's price. A price
/// that is given replaces both, an inventory the workload's limit.
std::vector<Offer> offers_for(const Workload& workload, const std::vector<HardwareSpec>& chips,
                              const std::vector<Inventory>& inventory) {
  std::vector<Offer> offers;
  for (const HardwareSpec& chip : chips) {
    const auto listed = std::find_if(workload.offers.begin(), workload.offers.end(),
                                     [&](const Offer& offer) { return offer.chip == chip.name; });
    Offer offer = listed == workload.offers.end()
                      ? Offer{.chip = chip.name, .at = {}, .limit = {}, .contracts = {}}
                      : *listed;
    if (offer.contracts.empty() || price_origin(chip) == PriceOrigin::given)
      offer.contracts = {{.reserved = false, .price = chip.price.value, .limit = {}}};
    for (const Inventory& listed : inventory) {
      if (listed.chip == chip.name) offer.limit = listed.accelerators;
    }
    offers.push_back(std::move(offer));
  }
  return offers;
}

/// The price the search ranks by: the cheapest contract.
void price_by_offers(std::vector<HardwareSpec>& chips, const std::vector<Offer>& offers) {
  for (size_t c = 0; c < chips.size(); ++c) {
    const auto cheapest =
        std::min_element(offers[c].contracts.begin(), offers[c].contracts.end(),
                         [](const Contract& a, const Contract& b) { return a.price < b.price; });
    if (cheapest == offers[c].contracts.end()) continue;
    chips[c].price.value = cheapest->price;
    if (!chips[c].price.stated()) chips[c].price.source = "workload";
  }
}

/// The request with what the workload says where the request does not. Names that are unknown are
/// complained of where the workload gives them.
RentalRequest completed(RentalRequest request, const Workload& workload) {
  if (request.models.empty() && workload.model.empty())
    throw ValueError("model",
                     fmt::format(": expected one, as {} names none", request.workload_file));
  if (request.models.empty()) {
    (void)named_at(workload.model_at, [&] { return model_path(workload.model); });
    request.models = {workload.model};
  }
  if (request.chips.empty()) {
    for (const Offer& offer : workload.offers) {
      (void)named_at(offer.at, [&] { return hardware_path(offer.chip); });
      request.chips.push_back(offer.chip);
    }
  }
  if (request.chips.empty())
    throw ValueError("on",
                     fmt::format(": expected chips, as {} lists none", request.workload_file));
  if (!request.tpot_given) request.tpot_limit = workload.target.tpot;
  if (request.ttft_limit && !has_prompts(workload.traffic))
    throw ValueError("ttft", " has no effect: a cache holds every prompt whole");
  return request;
}

/// No deployment takes more than can be rented.
Space limited(Space space, const std::vector<Offer>& offers) {
  const bool any = std::any_of(offers.begin(), offers.end(),
                               [](const Offer& offer) { return offer.limit.has_value(); });
  if (!any) return space;
  space.inventory.clear();
  for (const Offer& offer : offers) space.inventory.push_back(offer.limit.value_or(space.max_gpus));
  return space;
}

/// A contract decides what a chip costs; one bought instead would be bought for nothing.
void refuse_contracts_of_owned(const WhatIfs& what_if, const std::vector<HardwareSpec>& chips,
                               const std::vector<Offer>& offers) {
  for (const Owned& owned : what_if.owned) {
    for (size_t c = 0; c < chips.size(); ++c) {
      if (chips[c].name == owned.chip && !offers[c].contracts.empty())
        throw ValueError("own", fmt::format(": the workload has contracts for {}", owned.chip));
    }
  }
}

/// Null once it is interrupted.
std::shared_ptr<const RentalCase> case_of(RentalRequest request, const SweepPoint& point,
                                          const Workload& workload, LeftOut& left_out) {
  apply_sweep(point, request);
  auto c = std::make_shared<RentalCase>();
  c->swept = point;
  c->workload = workload;
  apply_sweep(point, c->workload);
  c->workload.target.tpot = request.tpot_limit;
  if (request.ttft_limit) c->workload.target.ttft = request.ttft_limit;
  c->chips = chips_of(request.chips, request, &left_out);
  c->input.offers = offers_for(c->workload, c->chips, request.inventory);
  refuse_contracts_of_owned(request.what_if, c->chips, c->input.offers);
  price_by_offers(c->chips, c->input.offers);
  require_prices(c->chips, "a plan");
  std::vector<Prepared> prepared = prepare(request);
  if (prepared.size() != 1) throw UsageError("plan takes one model at a time");
  c->prepared = std::move(prepared.front());
  const Engines engines = engines_of(request, c->chips);
  c->space = limited(space_of(request, c->chips, engines, c->prepared.model), c->input.offers);
  c->setting = setting_of(request, c->prepared, c->workload.traffic.mix.context, engines);
  c->widened = widen(c->space, request, c->setting, request.stop);
  c->ideal = without_engine(request, c->setting, engines);
  c->input.space = &c->space;
  c->input.setting = &c->setting;
  c->input.workload = &c->workload;
  c->found = explore(c->space, c->setting,
                     {.shapes = true, .threads = request.threads, .stop = request.stop});
  if (!c->found.complete) return nullptr;
  c->input.prompt_servers = prompt_servers(c->space, c->setting, c->workload);
  c->sized = size_all(c->found.shapes, *c->input.space, *c->input.setting, c->workload);
  return c;
}

/// What there is to choose from, and what it is called.
struct Alternative {
  Scope scope = Scope::best;
  std::string name;
  Choice choice;
};

std::vector<Alternative> alternatives(const std::vector<HardwareSpec>& chips, bool prompts) {
  std::vector<Alternative> list = {
      {Scope::best, "best", {}},
      {Scope::without_afd, "without AFD", {.afd = false, .only_chip = {}}}};
  if (prompts) {
    list.push_back(
        {Scope::prompts_apart, "prompts apart", {.prompts = PromptsOn::own, .only_chip = {}}});
    list.push_back(
        {Scope::mixed, "prompts beside tokens", {.prompts = PromptsOn::decoding, .only_chip = {}}});
  }
  for (size_t c = 0; chips.size() > 1 && c < chips.size(); ++c)
    list.push_back({Scope::one_chip, chips[c].name + " alone", {.only_chip = c}});
  return list;
}

/// The engine of the first deployment of a plan, and what of the time is the engine's.
void add_engine(Served& served, const Sized& first, const RentalCase& c) {
  const Candidate& candidate = first.candidate;
  const AnyDeployment way = deployment_of(candidate, c.space);
  const Engine& engine = engine_of(way, c.setting);
  served.engine = engine.name;
  const auto under = [&](const Setting& setting) {
    return with_in_flight(candidate, first.at_capacity.mean, c.space, setting).tpot;
  };
  served.ideal = under(c.ideal) / under(c.setting) * served.tpot;
  const ErrorSpread& spread = spread_of(way, c.setting);
  served.estimated = spread.estimate;
  if (spread.within > 0) served.interval = interval_of(way, c.setting);
}

/// The accelerators of everything that is rented.
std::vector<ChipsUsed> chips_used(const Plan& plan, const std::vector<HardwareSpec>& chips) {
  std::vector<ChipsUsed> used;
  for (const Rented& rented : plan.rented) {
    const Candidate& c = rented.sized->candidate;
    const auto add = [&](const Candidate::Side& side) {
      used.push_back({&chips[side.chip], real(rented.instances * side.size())});
    };
    add(c.attention);
    if (c.way == Way::disaggregated) add(c.ffn);
  }
  for (const Rented& rented : plan.prompts)
    used.push_back({&chips[rented.prompts->chip], real(rented.instances * rented.prompts->gpus)});
  return used;
}

bool stopped(const RentalRequest& request) { return request.stop != nullptr && *request.stop; }

Rentals interrupted(Rentals rentals) {
  rentals.complete = false;
  return rentals;
}

}  // namespace

Rentals rentals(const RentalRequest& request) {
  const Workload workload =
      read_workload(yaml::parse_file(request.workload_file), request.workload_file);
  const RentalRequest whole = completed(request, workload);
  Rentals out;
  for (const SweepPoint& point : whole.sweep) {
    const std::shared_ptr<const RentalCase> c = case_of(whole, point, workload, out.left_out);
    if (c == nullptr) return interrupted(std::move(out));
    if (out.rows.empty()) out.workload = c->workload;
    for (const Alternative& alternative :
         alternatives(c->chips, has_prompts(c->workload.traffic))) {
      if (stopped(whole)) return interrupted(std::move(out));
      Rental& row = out.rows.emplace_back(Rental{.of = c,
                                                 .scope = alternative.scope,
                                                 .name = alternative.name,
                                                 .tried = {},
                                                 .served = {}});
      row.tried = alternative.scope == Scope::best
                      ? plan_that_meets(c->sized, c->input, alternative.choice)
                      : TriedPlan{.plan = make_plan(c->sized, c->input, alternative.choice)};
      const Traffic& traffic = c->workload.traffic;
      row.served = {.chips = chips_used(row.plan(), c->chips),
                    .tokens = TokenRate(traffic.requests_per_s * traffic.mix.output_tokens),
                    .fidelity = fidelity_text(c->chips),
                    .engine = std::string(no_engine),
                    .tpot = row.plan().tpot_mean,
                    .ideal = {},
                    .interval = {},
                    .pue = whole.what_if.pue};
      if (row.possible()) add_engine(row.served, *row.plan().rented.front().sized, *c);
      if (row.possible() && !point.empty()) {
        out.swept_costs.push_back(
            {c->prepared.model.name, row.name, point.back().number, row.plan().usd_per_mtok});
      }
      if (row.scope == Scope::best) out.possible = out.possible && row.meets();
    }
  }
  return out;
}

}  // namespace afford::study
