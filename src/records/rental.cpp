#include "records/rental.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "records/notes.hpp"
#include "records/served.hpp"
#include "records/sweep.hpp"
#include "text/quantity.hpp"

namespace afford {
namespace {

using study::Rental;

std::string contract_text(const Rented& rented) {
  return rented.contract.reserved ? "reserved" : rented.all_day ? "on demand" : "in peak hours";
}

std::string rented_text(const Plan& plan, const Space& space) {
  std::vector<std::string> parts;
  for (const Rented& r : plan.rented) {
    const Candidate& c = r.sized->candidate;
    parts.push_back(fmt::format("{} x {} ({}) {}", r.instances, label(c),
                                study::pools_text(c, space), contract_text(r)));
  }
  for (const Rented& r : plan.prompts) {
    const HardwareSpec& chip = (*space.chips)[r.prompts->chip];
    parts.push_back(fmt::format(
        "{} x prompts ({}) {}", r.instances,
        name_of(Pool{&chip, static_cast<int>(r.prompts->gpus / chip.server_accelerators.value),
                     static_cast<int>(chip.server_accelerators.value)}),
        contract_text(r)));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// A month's bill by a million of these tokens.
double usd_per_million(double usd, double requests_per_s, double tokens) {
  constexpr double million = 1e6, seconds_an_hour = 3600;
  return usd / (requests_per_s * tokens * hours_a_month * seconds_an_hour / million);
}

/// A figure of the plan; an empty cell where there is none.
Field<Rental> of_plan(Column column, std::function<Cell(const Plan&)> value) {
  return {std::move(column), [value = std::move(value)](const Rental& r) {
            return r.possible() ? value(r.plan) : Cell();
          }};
}

Record<Rental> figures() {
  return {
      {{"deployment", "rent"},
       [](const Rental& r) {
         return r.possible() ? rented_text(r.plan, r.of->space) : "none: " + r.plan.impossible;
       }},
      of_plan({"gpus", "GPUs", Show::plain}, [](const Plan& p) { return p.gpus; }),
      of_plan({"attention_gpus", "attention", Show::plain},
              [](const Plan& p) { return p.attention_gpus; }),
      of_plan({"ffn_gpus", "FFN", Show::plain}, [](const Plan& p) { return p.ffn_gpus; }),
      of_plan({"prompt_gpus", "prompts", Show::plain}, [](const Plan& p) { return p.prompt_gpus; }),
      {{"attention_to_ffn", "A:F", Show::plain},
       [](const Rental& r) {
         return cell_if(r.plan.ffn_gpus > 0, static_cast<double>(r.plan.attention_gpus) /
                                                 static_cast<double>(r.plan.ffn_gpus));
       }},
      of_plan({"utilisation", "used", Show::plain}, [](const Plan& p) { return p.utilisation; }),
      of_plan({"tpot_ms", "TPOT ms", Show::plain},
              [](const Plan& p) { return p.tpot_mean / millisecond; }),
      of_plan({"tpot_percentile_ms", "at pct", Show::plain},
              [](const Plan& p) { return p.tpot_at_percentile / millisecond; }),
      of_plan({"monthly_usd", "USD/month", Show::price},
              [](const Plan& p) { return p.monthly_usd; }),
      of_plan({"usd_per_mtok", "USD/Mtok", Show::money},
              [](const Plan& p) { return p.usd_per_mtok; }),
      {{"binds", "binds"}, [](const Rental& r) { return r.plan.binds; }}};
}

/// A column of the files alone.
Field<Rental> hidden(const char* key, const char* heading, Show show,
                     std::function<Cell(const Rental&)> value) {
  return {{key, heading, show, in_files_only}, std::move(value)};
}

Record<Rental> rental_details() {
  const auto plain = [](const char* key, const char* heading, std::function<Cell(const Plan&)> v) {
    return of_plan({key, heading, Show::plain, in_files_only}, std::move(v));
  };
  return {
      hidden("model", "model", Show::text,
             [](const Rental& r) { return r.of->prepared.model.name; }),
      hidden("workload", "workload", Show::text,
             [](const Rental& r) { return r.of->workload.name; }),
      hidden("requests_per_s", "requests/s", Show::plain,
             [](const Rental& r) { return r.of->workload.traffic.requests_per_s; }),
      hidden("peak_requests_per_s", "at peak", Show::plain,
             [](const Rental& r) { return peak_rate(r.of->workload.traffic); }),
      hidden("context_tokens", "context", Show::plain,
             [](const Rental& r) { return r.of->setting.context; }),
      plain("requests_in_flight", "in flight", [](const Plan& p) { return p.requests_in_flight; }),
      plain("kv_at_peak_gb", "KV GB", [](const Plan& p) { return p.kv_bytes_at_peak / 1e9; }),
      plain("spare_instances", "spares", [](const Plan& p) { return p.spare_instances; }),
      plain("prompt_utilisation", "prompts used",
            [](const Plan& p) { return p.prompt_utilisation; }),
      plain("ttft_ms", "TTFT ms",
            [](const Plan& p) {
              return cell_if(!p.prompts.empty() && std::isfinite(p.ttft.base()),
                             p.ttft / millisecond);
            }),
      plain("prompt_monthly_usd", "prompts USD", [](const Plan& p) { return p.prompt_usd; }),
      hidden("usd_per_input_mtok", "USD/Mtok in", Show::money,
             [](const Rental& r) {
               const Traffic& t = r.of->workload.traffic;
               return cell_if(
                   r.possible() && t.prompt_tokens > 0,
                   usd_per_million(r.plan.prompt_usd, t.requests_per_s, t.prompt_tokens));
             }),
      hidden("usd_per_output_mtok", "out", Show::money,
             [](const Rental& r) {
               const Traffic& t = r.of->workload.traffic;
               return cell_if(r.possible(), usd_per_million(r.plan.monthly_usd - r.plan.prompt_usd,
                                                            t.requests_per_s, t.mix.output_tokens));
             }),
      hidden("usd_per_request", "USD/request", Show::money,
             [](const Rental& r) {
               return cell_if(
                   r.possible(),
                   usd_per_million(r.plan.monthly_usd, r.of->workload.traffic.requests_per_s, 1e6));
             }),
      hidden("percentile", "percentile", Show::plain,
             [](const Rental& r) { return 100 * r.of->workload.target.percentile; }),
      hidden("tpot_limit_ms", "limit", Show::plain,
             [](const Rental& r) { return r.of->workload.target.tpot / millisecond; }),
      plain("optimality_gap", "gap", [](const Plan& p) { return p.gap; }),
      hidden("feasible", "feasible", Show::text,
             [](const Rental& r) { return yes_or_no(r.possible()); }),
      hidden("reason", "reason", Show::text, [](const Rental& r) { return r.plan.impossible; })};
}

bool first_is_afd(const Rental& rental) {
  return rental.plan.rented.front().sized->candidate.way == Way::disaggregated;
}

std::string workload_note(const Workload& w) {
  return fmt::format(
      "Traffic: {:g} requests/s, {:g} at the peak; {}. While decoding: context {:.0f} tokens on "
      "average over steps (deviation {:.0f}), {:.0f} tokens out.",
      w.traffic.requests_per_s, peak_rate(w.traffic), w.traffic.origin, w.traffic.mix.context,
      std::sqrt(w.traffic.mix.context_variance), w.traffic.mix.output_tokens);
}

std::string sized_text(const Sized& sized) {
  return fmt::format("{} of {} requests in flight at most ({} sets it), {:.3g} requests/s each",
                     label(sized.candidate), static_cast<std::int64_t>(sized.most), sized.limit,
                     sized.requests_per_s);
}

/// What works off the prompts, what share of the bill it has, and what is left out.
std::string prompt_note(const Rental& rental) {
  const Plan& plan = rental.plan;
  const Traffic& traffic = rental.of->workload.traffic;
  const std::string hits =
      traffic.prefix_hit_rate > 0
          ? fmt::format(", {:.3g} % of them found in a cache,", 100 * traffic.prefix_hit_rate)
          : "";
  const std::string first =
      std::isfinite(plan.ttft.base())
          ? fmt::format("a first token takes {} on average", human(plan.ttft))
          : "with nothing to spare, so that they queue without end; leave headroom";
  return fmt::format(
      "Prompts: at the peak {:.0f} of their tokens/s{} are worked off by {} accelerators of their "
      "own, {:.0f} % busy, which send the caches on: {}. They are {:.0f} % of the bill. Prompts on "
      "the servers that decode are not tried; afford replay shows them.",
      peak_rate(traffic) * traffic.prompt_tokens, hits, plan.prompt_gpus,
      100 * plan.prompt_utilisation, first, 100 * plan.prompt_usd / plan.monthly_usd);
}

void add_plan_notes(std::vector<std::string>& notes, const Rental& rental) {
  const study::RentalCase& c = *rental.of;
  const Plan& plan = rental.plan;
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
  if (!plan.prompts.empty()) notes.push_back(prompt_note(rental));
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

Record<Rental> rental_record(const study::SweepPoint& point) {
  return joined<Rental>(
      {{{{"plan", "plan"}, [](const Rental& r) { return r.name; }}},
       sweep_record<Rental>(point, [](const Rental& r) { return r.of->swept; }),
       figures(),
       rental_details(),
       fields_of<Rental>(served_record(), [](const Rental& r) { return r.served; })});
}

std::vector<std::string> notes_on(const study::Rentals& rentals,
                                  const study::RentalRequest& request) {
  std::vector<std::string> notes = {workload_note(rentals.workload)};
  for (const Rental& row : rentals.rows) {
    if (row.scope != study::Scope::best) continue;
    if (row.possible()) add_plan_notes(notes, row);
    if (!row.possible() && row.of->found.shapes.empty()) notes.push_back(nearest_note(*row.of));
  }
  if (rentals.rows.front().of->widened.value_or(false)) notes.emplace_back(widened_note.substr(1));
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
