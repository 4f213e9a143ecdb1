#include "records/replay.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>

#include "records/notes.hpp"
#include "text/quantity.hpp"

namespace afford {
namespace {

using study::ReplayRow;

/// A figure of requests that were served.
Field<ReplayRow> of_served(Column column, std::function<double(const ReplayRow&)> value) {
  return {std::move(column), [value = std::move(value)](const ReplayRow& row) {
            return row.replayed.requests > 0 ? Cell(value(row)) : Cell();
          }};
}

/// One of the times of a request: how it is called, in which unit, and whether a row has it.
struct TimeShown {
  std::string key, heading, unit;
  double in_a_second = 1;  // of the unit
  const Histogram Replayed::*of = nullptr;
  bool (*there)(const ReplayRow&) = [](const ReplayRow&) { return true; };
};

Record<ReplayRow> percentiles(const TimeShown& time) {
  Record<ReplayRow> fields;
  for (const int percentile : {50, 90, 99}) {
    const std::string heading = fmt::format("{} {} ", time.heading, time.unit);
    fields.push_back(
        {{fmt::format("{}_p{}_{}", time.key, percentile, time.unit),
          fmt::format("{}p{}", percentile == 50 ? heading : "", percentile), Show::plain},
         [=](const ReplayRow& row) {
           const Histogram& times = row.replayed.*time.of;
           return cell_if(time.there(row) && times.weight() > 0,
                          time.in_a_second * times.quantile(percentile / 100.0));
         }});
  }
  return fields;
}

Record<ReplayRow> load_fields() {
  return {{{"model", "model", Show::text, in_files_only},
           [](const ReplayRow& row) { return row.model; }},
          {{"deployment", "deployment"}, [](const ReplayRow& row) { return row.label; }},
          {{"chips", "chips", Show::text}, [](const ReplayRow& row) { return row.chips_text; }},
          {{"gpus", "GPUs", Show::plain}, [](const ReplayRow& row) { return row.all_gpus(); }},
          {{"arrivals", "arrivals"}, arrivals_text},
          {{"requests", "requests", Show::plain},
           [](const ReplayRow& row) { return row.replayed.requests; }},
          {{"too_long", "too long", Show::plain, in_files_only},
           [](const ReplayRow& row) { return row.replayed.too_long; }}};
}

double per_second(const ReplayRow& row, double count) { return count / row.replayed.span().base(); }

/// USD per 1M tokens of a part of the bill.
Cell usd_per_million(Usd bill, double tokens) {
  return cell_if(tokens > 0, bill / usd / (tokens / 1e6));
}

Record<ReplayRow> rate_fields() {
  return {of_served({"requests_per_s", "req/s", Show::plain},
                    [](const ReplayRow& row) {
                      return per_second(row, static_cast<double>(row.replayed.requests));
                    }),
          of_served({"output_tokens_per_gpu_s", "tok/s/GPU", Show::plain},
                    [](const ReplayRow& row) {
                      return per_second(row, row.replayed.output_tokens) /
                             static_cast<double>(row.all_gpus());
                    }),
          of_served({"usd_per_request", "USD/request", Show::money},
                    [](const ReplayRow& row) {
                      return row.bill() / usd / static_cast<double>(row.replayed.requests);
                    }),
          {{"usd_per_input_mtok", "USD/Mtok in", Show::money},
           [](const ReplayRow& row) {
             if (!works_on_prompts(row)) return Cell();
             return usd_per_million(row.prompt_bill(), row.replayed.prompt_tokens);
           }},
          {{"usd_per_output_mtok", "out", Show::money}, [](const ReplayRow& row) {
             return usd_per_million(row.bill() - row.prompt_bill(), row.replayed.output_tokens);
           }}};
}

/// Per cent of the requests whose tokens took no longer than --tpot on average.
double within_limit(const ReplayRow& row) {
  return 100 * row.replayed.token.share_up_to(row.tpot_limit.base());
}

Record<ReplayRow> state_fields() {
  const auto hidden = [](const char* key, const char* heading,
                         std::function<double(const ReplayRow&)> value) {
    return of_served({key, heading, Show::plain, in_files_only}, std::move(value));
  };
  return {
      of_served({"in_flight", "in flight", Show::plain},
                [](const ReplayRow& row) { return row.replayed.in_flight(); }),
      of_served({"waiting", "waiting", Show::plain},
                [](const ReplayRow& row) { return row.replayed.waiting(); }),
      hidden("instance_in_flight_p99", "in flight p99",
             [](const ReplayRow& row) { return row.replayed.usage.in_flight.quantile(0.99); }),
      hidden("memory_mean_pct", "memory",
             [](const ReplayRow& row) { return 100 * row.replayed.usage.memory.mean(); }),
      hidden("memory_p99_pct", "memory p99",
             [](const ReplayRow& row) { return 100 * row.replayed.usage.memory.quantile(0.99); }),
      hidden("within_tpot_pct", "within TPOT", within_limit),
      hidden("token_p99_ms", "a token p99",
             [](const ReplayRow& row) { return 1e3 * row.replayed.usage.token.quantile(0.99); }),
      hidden("prompts_pct", "prompts",
             [](const ReplayRow& row) {
               const Usage& usage = row.replayed.usage;
               return usage.busy > Seconds(0) ? 100 * (usage.prompts / usage.busy) : 0;
             }),
      hidden("cached_pct", "cached",
             [](const ReplayRow& row) {
               return 100 * row.replayed.cached_tokens / row.replayed.prompt_tokens;
             }),
      hidden(
          "preemptions", "preempted",
          [](const ReplayRow& row) { return static_cast<double>(row.replayed.usage.preemptions); }),
      hidden("span_s", "span", [](const ReplayRow& row) { return row.replayed.span().base(); }),
      {{"engine", "engine", Show::text, in_files_only},
       [](const ReplayRow& row) { return row.engine; }},
      {{"fidelity", "fidelity", Show::text, in_files_only},
       [](const ReplayRow& row) { return row.fidelity; }}};
}

/// What kept a row busy, and what did not go well.
std::string row_note(const ReplayRow& row) {
  const Replayed& r = row.replayed;
  const Usage& usage = r.usage;
  std::string text = fmt::format("{}, {}: ", row.label, arrivals_text(row));
  if (r.requests == 0)
    return text + fmt::format("none of {} requests fits the memory.", r.too_long);
  std::vector<std::string> parts = {
      fmt::format("memory for caches {:.0f} % used, {:.0f} % at the 99th percentile",
                  100 * usage.memory.mean(), 100 * usage.memory.quantile(0.99))};
  if (r.token.weight() > 0)
    parts.push_back(fmt::format("{:.0f} % of requests within {} a token", within_limit(row),
                                human(row.tpot_limit)));
  if (!row.afd && row.prefill_gpus == 0 && usage.busy > Seconds(0))
    parts.push_back(fmt::format("prompts take {:.0f} % of the time at work",
                                100 * (usage.prompts / usage.busy)));
  if (r.cached_tokens > 0)
    parts.push_back(fmt::format("{:.0f} % of prompt tokens found in a cache",
                                100 * r.cached_tokens / r.prompt_tokens));
  if (usage.preemptions > 0)
    parts.push_back(fmt::format("{} preemptions, {:.3g} tokens worked off again", usage.preemptions,
                                usage.recomputed));
  if (r.too_long > 0)
    parts.push_back(fmt::format("{} requests do not fit the memory and were refused", r.too_long));
  return text + fmt::format("{}.", fmt::join(parts, "; "));
}

}  // namespace

std::string arrivals_text(const ReplayRow& row) {
  if (row.arrivals.rate) return fmt::format("{:g}/s", *row.arrivals.rate);
  if (row.arrivals.concurrency) return fmt::format("{} at once", *row.arrivals.concurrency);
  return "trace";
}

bool works_on_prompts(const ReplayRow& row) { return !row.afd || row.prefill_gpus > 0; }

std::vector<LoadAt> loads_over_time(const ReplayRow& row) {
  const TimeSeries& series = row.replayed.series;
  constexpr size_t most = 256;
  const size_t each = std::bit_ceil((series.size() + most - 1) / most);
  std::vector<LoadAt> loads;
  for (size_t i = 0; i * each < series.size(); ++i)
    loads.push_back({series.begin(i * each), series.at(i, each)});
  return loads;
}

const Record<ReplayRow>& replay_record() {
  static const Record<ReplayRow> record = joined<ReplayRow>(
      {load_fields(),
       percentiles({"ttft", "TTFT", "ms", 1e3, &Replayed::first_token, works_on_prompts}),
       percentiles({"tpot", "TPOT", "ms", 1e3, &Replayed::token}),
       percentiles({"e2e", "whole", "s", 1, &Replayed::whole}), rate_fields(), state_fields()});
  return record;
}

Table over_time(const ReplayRow& row) {
  Table table{.title = {},
              .columns = {{"time_s", "time", Show::plain},
                          {"in_flight", "in flight", Show::plain},
                          {"waiting", "waiting", Show::plain},
                          {"memory_pct", "memory", Show::plain},
                          {"decoded_tokens_per_s", "tokens/s", Show::plain}},
              .rows = {},
              .notes = {}};
  for (const LoadAt& at : loads_over_time(row)) {
    table.rows.push_back({at.begin.base(), at.load.in_flight, at.load.waiting,
                          100 * at.load.memory / static_cast<double>(row.instances),
                          at.load.tokens});
  }
  return table;
}

std::vector<std::string> notes_on(const study::Replays& replays,
                                  const study::ReplayRequest& request) {
  std::vector<std::string> notes = {fmt::format("Traffic: {}.", replays.traffic)};
  for (const ReplayRow& row : replays.rows) notes.push_back(row_note(row));
  const auto any = [&](auto is) {
    return std::any_of(replays.rows.begin(), replays.rows.end(), is);
  };
  if (any([](const ReplayRow& row) { return !works_on_prompts(row); })) {
    notes.emplace_back(
        "AFD pools only decode: prompts come worked off, by servers that are in no figure here; "
        "--prefill POOL counts them.");
  }
  if (any([](const ReplayRow& row) { return !row.afd && row.prefill_gpus == 0; })) {
    notes.push_back(fmt::format(
        "Prompts join decode steps in chunks of {} tokens and add the time they would take alone.",
        request.chunk.value_or(ServerOptions{}.chunk)));
  }
  if (replays.prefixes)
    notes.emplace_back("Prefixes are cached in the memory that requests in flight leave free.");
  const ReplayRow& first = replays.rows.front();
  notes.push_back(fmt::format("Fidelity: {}; engine {}. Instances: {}.", first.fidelity,
                              first.engine, first.instances));
  if (const std::string note = what_if_note(request.what_if); !note.empty()) notes.push_back(note);
  return notes;
}

}  // namespace afford
