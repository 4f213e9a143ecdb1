#include "records/rental.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "deploy/interval.hpp"
#include "records/notes.hpp"
#include "records/served.hpp"
#include "records/sweep.hpp"
#include "text/quantity.hpp"

namespace afford {
namespace {

using study::PlanReplay;
using study::Rental;

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

/// Of the mean. Waiting is as uncertain as the rest of it, as it follows from the same times.
Cell end_of_mean_ttft(const Rental& r, Seconds TimeInterval::*end) {
  const Seconds mean = r.plan().first_token.mean;
  const auto interval = first_token_interval(mean, r.of->setting.engine.time.prompts);
  return r.possible() && interval ? milliseconds((*interval).*end) : Cell();
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
      hidden("reason", "reason", Show::text, [](const Rental& r) { return r.plan().impossible; }),
      hidden("in_flight_at_once", "at once", Show::plain,
             [](const Rental& r) {
               return cell_if(r.tried.replay && r.tried.replay->trace, r.tried.in_flight_at_once);
             }),
      hidden("busiest_minute_requests_per_s", "busiest minute", Show::plain, [](const Rental& r) {
        const Traffic& t = r.of->workload.traffic;
        return cell_if(!t.trace.empty(), t.busiest.busiest_minute);
      })};
}

}  // namespace

std::string contract_text(const Rented& rented) {
  return rented.contract.reserved ? "reserved" : rented.all_day ? "on demand" : "in peak hours";
}

Record<Rental> rental_record(const study::SweepPoint& point) {
  return joined<Rental>(
      {{{{"plan", "plan"}, [](const Rental& r) { return r.name; }}},
       sweep_record<Rental>(point, [](const Rental& r) { return r.of->swept; }),
       figures(),
       rental_details(),
       fields_of<Rental>(served_record(), [](const Rental& r) { return r.served; }),
       {hidden("ttft_low_ms", "from", Show::plain,
               [](const Rental& r) { return end_of_mean_ttft(r, &TimeInterval::low); }),
        hidden("ttft_high_ms", "to", Show::plain,
               [](const Rental& r) { return end_of_mean_ttft(r, &TimeInterval::high); })}});
}

}  // namespace afford
