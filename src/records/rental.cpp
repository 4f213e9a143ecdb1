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

using study::PlanReplay;
using study::Rental;

std::string contract_text(const Rented& rented) {
  return rented.contract.reserved ? "reserved" : rented.all_day ? "on demand" : "in peak hours";
}

std::string rented_text(const Plan& plan, const Space& space) {
  std::vector<std::string> parts;
  for (const Rented& r : plan.rented) {
    const Candidate& c = r.sized->candidate;
    parts.push_back(fmt::format("{} x {}{} ({}) {}", r.instances, label(c),
                                r.sized->prompts ? " with prompts" : "",
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
            return r.possible() ? value(r.plan()) : Cell();
          }};
}

/// Of first tokens: none where no prompts are worked off, or where they queue without end.
Cell milliseconds(Seconds time) {
  return cell_if(time > Seconds(0) && std::isfinite(time.base()), time / millisecond);
}

Record<Rental> figures() {
  return {
      {{"deployment", "rent"},
       [](const Rental& r) {
         return r.possible() ? rented_text(r.plan(), r.of->space) : "none: " + r.plan().impossible;
       }},
      of_plan({"gpus", "GPUs", Show::plain}, [](const Plan& p) { return p.gpus; }),
      of_plan({"attention_gpus", "attention", Show::plain},
              [](const Plan& p) { return p.attention_gpus; }),
      of_plan({"ffn_gpus", "FFN", Show::plain}, [](const Plan& p) { return p.ffn_gpus; }),
      of_plan({"prompt_gpus", "prompts", Show::plain}, [](const Plan& p) { return p.prompt_gpus; }),
      {{"attention_to_ffn", "A:F", Show::plain},
       [](const Rental& r) {
         return cell_if(r.plan().ffn_gpus > 0, static_cast<double>(r.plan().attention_gpus) /
                                                   static_cast<double>(r.plan().ffn_gpus));
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
      {{"binds", "binds"}, [](const Rental& r) { return r.plan().binds; }}};
}

/// A column of the files alone.
Field<Rental> hidden(const char* key, const char* heading, Show show,
                     std::function<Cell(const Rental&)> value) {
  return {{key, heading, show, in_files_only}, std::move(value)};
}

/// A figure of the plan's replay; an empty cell where it was not replayed.
Field<Rental> of_replay(const char* key, const char* heading,
                        std::function<Cell(const PlanReplay&)> value) {
  return hidden(key, heading, Show::plain, [value = std::move(value)](const Rental& r) {
    return r.tried.replay ? value(*r.tried.replay) : Cell();
  });
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
      plain("ttft_ms", "TTFT ms", [](const Plan& p) { return milliseconds(p.first_token.mean); }),
      plain("ttft_percentile_ms", "at pct",
            [](const Plan& p) { return milliseconds(p.first_token.at_percentile); }),
      plain("mixed_gpus", "mixed", [](const Plan& p) { return p.mixed_gpus; }),
      plain("prompt_monthly_usd", "prompts USD", [](const Plan& p) { return p.prompt_usd; }),
      hidden("usd_per_input_mtok", "USD/Mtok in", Show::money,
             [](const Rental& r) {
               const Traffic& t = r.of->workload.traffic;
               return cell_if(
                   r.possible() && t.prompt_tokens > 0,
                   usd_per_million(r.plan().prompt_usd, t.requests_per_s, t.prompt_tokens));
             }),
      hidden("usd_per_output_mtok", "out", Show::money,
             [](const Rental& r) {
               const Traffic& t = r.of->workload.traffic;
               return cell_if(r.possible(),
                              usd_per_million(r.plan().monthly_usd - r.plan().prompt_usd,
                                              t.requests_per_s, t.mix.output_tokens));
             }),
      hidden("usd_per_request", "USD/request", Show::money,
             [](const Rental& r) {
               return cell_if(r.possible(),
                              usd_per_million(r.plan().monthly_usd,
                                              r.of->workload.traffic.requests_per_s, 1e6));
             }),
      hidden("percentile", "percentile", Show::plain,
             [](const Rental& r) { return 100 * r.of->workload.target.percentile; }),
      hidden("tpot_limit_ms", "limit", Show::plain,
             [](const Rental& r) { return r.of->workload.target.tpot / millisecond; }),
      hidden("ttft_limit_ms", "TTFT limit", Show::plain,
             [](const Rental& r) {
               const std::optional<Seconds>& limit = r.of->workload.target.ttft;
               return limit ? Cell(*limit / millisecond) : Cell();
             }),
      of_replay("replayed_requests", "replayed", [](const PlanReplay& p) { return p.requests; }),
      of_replay("replayed_tpot_ms", "TPOT ms",
                [](const PlanReplay& p) { return p.tpot / millisecond; }),
      of_replay("replayed_ttft_ms", "TTFT ms",
                [](const PlanReplay& p) { return milliseconds(p.first_token); }),
      of_replay("replayed_in_flight_percentile", "at pct",
                [](const PlanReplay& p) { return p.in_flight_of_tokens; }),
      plain("optimality_gap", "gap", [](const Plan& p) { return p.gap; }),
      hidden("feasible", "feasible", Show::text,
             [](const Rental& r) { return yes_or_no(r.possible()); }),
      hidden("reason", "reason", Show::text, [](const Rental& r) { return r.plan().impossible; })};
}

bool first_is_afd(const Rental& rental) {
  return rental.plan().rented.front().sized->candidate.way == Way::disaggregated;
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
  const std::string hits =
      traffic.prefix_hit_rate > 0
          ? fmt::format(", {:.3g} % of them found in a cache,", 100 * traffic.prefix_hit_rate)
          : "";
  return fmt::format(
      "Prompts: at the peak {:.0f} of their tokens/s{} are worked off by {}: {}. They are {:.0f} % "
      "of the bill.",
      peak_rate(traffic) * traffic.prompt_tokens, hits,
      prompt_servers_text(plan, peak_rate(traffic)), first_token_text(rental),
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
    text += fmt::format(", a first one {}", human(r.first_token));
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
