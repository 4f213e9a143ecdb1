#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "records/notes.hpp"
#include "records/rental.hpp"
#include "records/served.hpp"
#include "records/sweep.hpp"
#include "text/quantity.hpp"

namespace afford {
namespace {

using study::PlanReplay;
using study::Rental;

bool first_is_afd(const Rental& rental) {
  return rental.plan().rented.front().sized->candidate.way == Way::disaggregated;
}

std::string workload_note(const Workload& w) {
  const double minute = w.traffic.busiest.busiest_minute;
  return fmt::format(
      "Traffic: {:g} requests/s, {:g} at the peak; {}{}. While decoding: context {:.0f} tokens on "
      "average over steps (deviation {:.0f}), {:.0f} tokens out.",
      w.traffic.requests_per_s, peak_rate(w.traffic), w.traffic.origin,
      minute > 0 ? fmt::format(", {:.3g} a second in their busiest minute", minute) : "",
      w.traffic.mix.context, std::sqrt(w.traffic.mix.context_variance),
      w.traffic.mix.output_tokens);
}

std::string sized_text(const Sized& sized) {
  return fmt::format("{} of {} requests in flight at most ({} sets it), {:.3g} requests/s each",
                     label(sized.candidate), static_cast<std::int64_t>(sized.most), sized.limit,
                     sized.requests_per_s);
}

/// Who works off the prompts: "232 accelerators of their own, 89 % busy, which send the caches on".
std::string prompt_servers_text(const Plan& plan, double peak) {
  std::vector<std::string> parts;
  if (plan.prompt_gpus > 0) {
    parts.push_back(
        fmt::format("{} accelerators of their own, {:.0f} % busy, which send the caches on",
                    plan.prompt_gpus, 100 * plan.prompt_utilisation));
  }
  if (plan.mixed_gpus > 0) {
    parts.push_back(fmt::format("{} that decode too, {:.0f} % of the requests", plan.mixed_gpus,
                                100 * plan.mixed_rate / peak));
  }
  return fmt::format("{}", fmt::join(parts, ", and "));
}

std::string first_token_text(const Rental& rental) {
  const FirstToken& first = rental.plan().first_token;
  if (!std::isfinite(first.mean.base()))
    return "with nothing to spare, so that they queue without end; leave headroom or set a ttft";
  return fmt::format("a first token takes {} on average, {} at the {:g}th percentile",
                     human(first.mean), human(first.at_percentile),
                     100 * rental.of->workload.target.percentile);
}

/// What works off the prompts, and what share of the bill it has.
std::string prompt_note(const Rental& rental) {
  const Plan& plan = rental.plan();
  const Traffic& traffic = rental.of->workload.traffic;
  const bool bursts = rental.tried.replay && rental.tried.replay->trace;  // the replay says more
  const std::string hits =
      traffic.prefix_hit_rate > 0
          ? fmt::format(", {:.3g} % of them found in a cache,", 100 * traffic.prefix_hit_rate)
          : "";
  return fmt::format(
      "Prompts: at the peak {:.0f} of their tokens/s{} are worked off by {}{}. They are {:.0f} % "
      "of the bill.",
      peak_rate(traffic) * traffic.prompt_tokens, hits,
      prompt_servers_text(plan, peak_rate(traffic)), bursts ? "" : ": " + first_token_text(rental),
      100 * plan.prompt_usd / plan.monthly_usd);
}

/// Prompts on servers of their own against prompts on those that decode, each as cheap as can be.
std::string apart_or_mixed_note(const std::vector<Rental>& rows) {
  const auto text = [&](study::Scope scope) -> std::string {
    for (const Rental& row : rows) {
      if (row.scope != scope || row.of != rows.front().of) continue;
      return row.possible() ? fmt::format("{:.0f} USD a month", row.plan().monthly_usd)
                            : fmt::format("not possible ({})", row.plan().impossible);
    }
    return {};
  };
  const std::string apart = text(study::Scope::prompts_apart), mixed = text(study::Scope::mixed);
  if (apart.empty() || mixed.empty()) return {};
  return fmt::format(
      "Prompts on servers of their own: {}; on those that decode, chunk by chunk: {}; before a "
      "replay.",
      apart, mixed);
}

/// What the requests of the peak saw, one by one.
std::string replay_note(const Rental& rental) {
  const PlanReplay& r = *rental.tried.replay;
  const study::TriedPlan& tried = rental.tried;
  const Target& target = rental.of->workload.target;
  const auto against = [](Seconds seen, Seconds limit, bool met) {
    return fmt::format("{} ({} {})", human(seen), met ? "within" : "MISSES", human(limit));
  };
  std::string text = fmt::format(
      "Replayed, {} requests {}: at the {:g}th percentile of tokens "
      "{:.0f} are in flight, and a token takes {}",
      r.requests, r.trace ? "as the trace has them where they are densest" : "at random",
      100 * target.percentile, r.in_flight_of_tokens, against(r.tpot, target.tpot, r.tpot_met));
  if (target.ttft) {
    text += fmt::format(", a first one {}", against(r.first_token, *target.ttft, r.ttft_met));
  } else if (r.first_token > Seconds(0)) {
    text += fmt::format(", a first one {}{}", human(r.first_token),
                        r.trace ? " (no ttft is asked for)" : "");
  }
  if (r.trace) {
    text += fmt::format("; if none waited and tokens took {}, {:.0f} would be in flight",
                        human(target.tpot), tried.in_flight_at_once);
  }
  if (r.too_long > 0) text += fmt::format("; {} requests do not fit the memory", r.too_long);
  if (!r.meets()) return text + fmt::format("; {} larger plans do not mend it.", tried.tried - 1);
  if (tried.tried == 1) return text + ".";
  return text + fmt::format("; to that end the plan grew from {:.0f} USD a month, in {} replays.",
                            tried.first_usd, tried.tried);
}

void add_plan_notes(std::vector<std::string>& notes, const Rental& rental) {
  const study::RentalCase& c = *rental.of;
  const Plan& plan = rental.plan();
  std::vector<std::string> lines;
  for (const Rented& r : plan.rented) {
    lines.push_back(fmt::format("{} instance{} {} of {}; splits {}, {} micro-batches; {}",
                                r.instances, r.instances == 1 ? "" : "s", contract_text(r),
                                study::pools_text(r.sized->candidate, c.space),
                                parallelism(r.sized->candidate), r.sized->candidate.micro_batches,
                                sized_text(*r.sized)));
  }
  notes.push_back(fmt::format(
      "{}{}. At the peak {:.0f} requests in flight hold {:.0f} GB of KV (p{:g}); {} of the "
      "instances spare.",
      c.swept.empty() ? "Best: " : text_of(c.swept) + ": ", fmt::join(lines, "; "),
      plan.requests_in_flight, plan.kv_bytes_at_peak / 1e9, 100 * c.workload.target.percentile,
      plan.spare_instances));
  if (has_prompts(c.workload.traffic)) notes.push_back(prompt_note(rental));
  if (rental.tried.replay) notes.push_back(replay_note(rental));
  if (plan.gap > 0)
    notes.push_back(fmt::format("Not proven the cheapest: {:.2f} % is possible.", 100 * plan.gap));
}

/// An impossible target: the fastest there is, or what is missing.
std::string nearest_note(const study::RentalCase& c) {
  if (!c.found.fastest) {
    return fmt::format("No deployment of up to {} accelerators fits the memory.", c.space.max_gpus);
  }
  const Candidate& fastest = *c.found.fastest;
  return fmt::format("Nearest to {}: {:.2f} ms by {} ({}).", human(c.workload.target.tpot),
                     fastest.goals.tpot_ms, label(fastest), study::pools_text(fastest, c.space));
}

}  // namespace

std::vector<std::string> notes_on(const study::Rentals& rentals,
                                  const study::RentalRequest& request) {
  std::vector<std::string> notes = {workload_note(rentals.workload)};
  for (const Rental& row : rentals.rows) {
    if (row.scope != study::Scope::best) continue;
    if (row.possible()) add_plan_notes(notes, row);
    if (!row.possible() && row.of->found.shapes.empty()) notes.push_back(nearest_note(*row.of));
  }
  if (rentals.rows.front().of->widened.value_or(false)) notes.emplace_back(widened_note.substr(1));
  if (const std::string note = apart_or_mixed_note(rentals.rows); !note.empty())
    notes.push_back(note);
  notes.push_back(
      fmt::format("Fidelity: {}. A month has 730 hours.", rentals.rows.back().served.fidelity));
  std::vector<EngineUse> uses;
  for (const Rental& row : rentals.rows) {
    if (row.possible()) uses.push_back({first_is_afd(row), row.name, &row.served});
  }
  if (const std::string note = engine_note(uses, request.engine); !note.empty())
    notes.push_back(note);
  if (const std::string note = what_if_note(request.what_if, request.sweep.front()); !note.empty())
    notes.push_back(note);
  for (const Rental& row : rentals.rows) {
    const double longest = row.of->workload.traffic.longest_context;
    add_model_notes(notes, row.of->prepared.model,
                    longest > 0 ? longest : row.of->workload.traffic.mix.context);
  }
  if (const study::SweepPoint& point = request.sweep.front(); !point.empty()) {
    std::vector<study::SweptCost> others;
    std::copy_if(rentals.swept_costs.begin(), rentals.swept_costs.end(), std::back_inserter(others),
                 [](const study::SweptCost& c) { return c.choice != "best"; });
    for (const std::string& line : break_even_texts(others, point.back()))
      notes.push_back("Cheapest beside AFD over several chips, " + line);
  }
  return notes;
}

}  // namespace afford
