// The part of a frontier's rows that says who works off the prompts, and what that takes.

#include <fmt/format.h>

#include "deploy/interval.hpp"
#include "records/frontier.hpp"
#include "text/quantity.hpp"

namespace afford {
namespace {

using Point = study::FrontierPoint;

const WholeRequests& requests_of(const Point& p) { return *p.of->space.requests; }

bool apart(const Point& p) { return p.candidate.prompts == Prompts::apart; }

const Pool& prompt_pool(const Candidate& c, const study::FrontierCase& of) {
  return of.space.requests->pools[c.prompt_pool].pool.pool;
}

/// Accelerators that work off prompts for each that decodes.
double prompts_to_decoding(const Candidate& c, double prompt_gpus) {
  const std::int64_t ffn = c.way == Way::disaggregated ? c.ffn.size() : 0;
  return prompt_gpus / real(c.attention.size() + ffn);
}

/// A column of the files alone.
Field<Point> hidden(const char* key, std::function<Cell(const Point&)> value) {
  return {{key, key, Show::plain, in_files_only}, std::move(value)};
}

Field<Point> money(const char* key, std::function<Cell(const Point&)> value) {
  return {{key, key, Show::money, in_files_only}, std::move(value)};
}

Cell end_of_ttft(const Point& p, Seconds TimeInterval::*end) {
  const auto interval =
      first_token_interval(p.candidate.ttft_ms * millisecond, p.of->setting.engine.time.prompts);
  return interval ? Cell((*interval).*end / millisecond) : Cell();
}

/// Of a request, by whole requests a million of whose tokens these are.
double usd_of_request(const Point& p) {
  return p.candidate.goals.usd_per_mtok * requests_of(p).output / 1e6;
}

double usd_of_prompt(const Point& p) {
  return p.whole().prompt_cost / usd_per_mtok * requests_of(p).output / 1e6;
}

}  // namespace

Record<Point> prompt_columns() {
  return {
      {{"prefill", "prompts"},
       [](const Point& p) {
         return apart(p) ? name_of(prompt_pool(p.candidate, *p.of)) : std::string("beside tokens");
       }},
      {{"prefill_to_decode", "P:D", Show::plain},
       [](const Point& p) {
         return cell_if(apart(p), prompts_to_decoding(p.candidate, p.whole().prompt_gpus));
       }},
      {{"ttft_ms", "TTFT ms", Show::plain}, [](const Point& p) { return p.candidate.ttft_ms; }},
      hidden("prefill_gpus",
             [](const Point& p) { return cell_if(apart(p), p.whole().prompt_gpus); }),
      hidden("isl", [](const Point& p) { return std::int64_t(requests_of(p).prompt); }),
      hidden("osl", [](const Point& p) { return std::int64_t(requests_of(p).output); }),
      hidden("prefix_hit_rate", [](const Point& p) { return requests_of(p).hit_rate; }),
      hidden("ttft_limit_ms",
             [](const Point& p) {
               const std::optional<Seconds>& limit = requests_of(p).ttft_limit;
               return limit ? Cell(*limit / millisecond) : Cell();
             }),
      money("usd_per_input_mtok",
            [](const Point& p) { return usd_of_prompt(p) / requests_of(p).prompt * 1e6; }),
      money("usd_per_output_mtok",
            [](const Point& p) {
              return (usd_of_request(p) - usd_of_prompt(p)) / requests_of(p).output * 1e6;
            }),
      money("usd_per_request", usd_of_request),
      hidden("ttft_low_ms", [](const Point& p) { return end_of_ttft(p, &TimeInterval::low); }),
      hidden("ttft_high_ms", [](const Point& p) { return end_of_ttft(p, &TimeInterval::high); })};
}

std::string prompts_text(const Candidate& c, const study::FrontierCase& of) {
  if (c.prompts == Prompts::left_out) return "";
  std::string text = ", prompts beside tokens";
  if (c.prompts == Prompts::apart) {
    const WholeOutcome whole = whole_outcome(c, of.space, of.setting);
    text = fmt::format(", prompts on {}, P:D {:.2f}", name_of(prompt_pool(c, of)),
                       prompts_to_decoding(c, whole.prompt_gpus));
  }
  return fmt::format("{}, first token after {:.4g} ms", text, c.ttft_ms);
}

}  // namespace afford
