#include "records/prefill.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "records/notes.hpp"
#include "text/quantity.hpp"

namespace afford {
namespace {

using study::Prefill;

std::string reason(const Prefill& p) {
  if (p.holds()) return "";
  return fmt::format("needs {} of {} an accelerator", human(p.memory.total()),
                     human(p.memory.capacity));
}

Cell ms(Seconds time) { return time / millisecond; }

/// An end of the interval of a part, which it has where any of it stands on a measured curve.
Cell end_ms(Seconds part, const CurveShare& measured, double end) {
  return measured.time > Seconds(0) ? ms(part + end * measured.margin) : Cell();
}

/// "attention within 8 %": of nine of ten left-out points, where it is on curves in any row.
void add_part(std::vector<std::string>& parts, const study::Prefills& prefills,
              std::string_view name, CurveShare PromptTime::*of) {
  double most = 0;
  bool beyond = false;
  for (const Prefill& row : prefills.rows) {
    const CurveShare& measured = row.parts.*of;
    if (measured.time > Seconds(0)) most = std::max(most, measured.margin / measured.time);
    beyond = beyond || measured.beyond;
  }
  if (most > 0)
    parts.push_back(fmt::format("{} within {:.2g} %{}", name, 100 * most,
                                beyond ? " (some beyond the sizes measured)" : ""));
}

/// What is known of the error.
std::string interval_note(const study::Prefills& prefills) {
  std::vector<std::string> parts;
  add_part(parts, prefills, "attention", &PromptTime::core_measured);
  add_part(parts, prefills, "products", &PromptTime::products_measured);
  std::string lent;  // "; on h200 those of h100"
  for (const Prefill& row : prefills.rows) {
    if (!row.prompts_from.empty() && lent.find(row.prompts_from) == std::string::npos)
      lent += fmt::format("; {}", row.prompts_from);
  }
  constexpr std::string_view rest =
      "shares of the peaks that come from prompts that interrupted decoding (docs/engines.md), and "
      "the interval of prompt_low_ms to prompt_high_ms in files from the first tokens of the "
      "engine's served points, or a factor of 1.7";
  if (parts.empty()) return fmt::format("Nothing stands on measured curves: {}.", rest);
  return fmt::format(
      "On the curves of measured kernels, for nine of ten points left out of their "
      "fit: {}{}. The rest: {}.",
      fmt::join(parts, ", "), lent, rest);
}

}  // namespace

Record<Prefill> prefill_record() {
  return {
      {{"model", "model"}, [](const Prefill& p) { return p.model; }},
      {{"deployment", "deployment"}, [](const Prefill& p) { return p.label; }},
      {{"pool", "pool"}, [](const Prefill& p) { return p.pool; }},
      {{"prompt_tokens", "prompt", Show::tokens},
       [](const Prefill& p) { return static_cast<std::int64_t>(p.tokens); }},
      {{"cached_tokens", "cached", Show::tokens},
       [](const Prefill& p) { return static_cast<std::int64_t>(p.cached); }},
      {{"gpus", "GPUs", Show::plain}, [](const Prefill& p) { return p.gpus; }},
      {{"prompt_ms", "prompt ms", Show::plain}, [](const Prefill& p) { return ms(p.time()); }},
      {{"tokens_per_gpu_s", "tok/s/GPU", Show::plain},
       [](const Prefill& p) { return p.tokens_per_gpu().base(); }},
      {{"usd_per_input_mtok", "USD/Mtok in", Show::money},
       [](const Prefill& p) { return p.cost() / usd_per_mtok; }},
      {{"products_ms", "products", Show::plain},
       [](const Prefill& p) { return ms(p.parts.products); }},
      {{"attention_ms", "attention", Show::plain},
       [](const Prefill& p) { return ms(p.parts.core); }},
      {{"all_reduce_ms", "all-reduce", Show::plain},
       [](const Prefill& p) { return ms(p.parts.all_reduce); }},
      {{"passes_ms", "passes", Show::plain}, [](const Prefill& p) { return ms(p.parts.passes); }},
      {{"launches_ms", "launches", Show::plain}, [](const Prefill& p) { return ms(p.launches); }},
      {{"bound", "bound"}, [](const Prefill& p) { return named(p.bound()); }},
      {{"cache_gb", "cache GB", Show::plain}, [](const Prefill& p) { return p.cache / GB; }},
      {{"sending_ms", "sending ms", Show::plain},
       [](const Prefill& p) { return p.sending ? ms(*p.sending) : Cell(); }},
      {{"engine", "engine", Show::text, in_files_only}, [](const Prefill& p) { return p.engine; }},
      {{"holds", "holds"}, [](const Prefill& p) { return yes_or_no(p.holds()); }},
      {{"reason", "reason"}, [](const Prefill& p) { return reason(p); }},
      {{"attention_low_ms", "low", Show::plain, in_files_only},
       [](const Prefill& p) { return end_ms(p.parts.core, p.parts.core_measured, -1); }},
      {{"attention_high_ms", "high", Show::plain, in_files_only},
       [](const Prefill& p) { return end_ms(p.parts.core, p.parts.core_measured, 1); }},
      {{"fidelity", "fidelity", Show::text, in_files_only},
       [](const Prefill& p) { return p.fidelity; }},
      {{"products_low_ms", "low", Show::plain, in_files_only},
       [](const Prefill& p) { return end_ms(p.parts.products, p.parts.products_measured, -1); }},
      {{"products_high_ms", "high", Show::plain, in_files_only},
       [](const Prefill& p) { return end_ms(p.parts.products, p.parts.products_measured, 1); }},
      {{"prompt_low_ms", "low", Show::plain, in_files_only},
       [](const Prefill& p) { return ms(p.interval.low); }},
      {{"prompt_high_ms", "high", Show::plain, in_files_only},
       [](const Prefill& p) { return ms(p.interval.high); }}};
}

std::vector<std::string> notes_on(const study::Prefills& prefills,
                                  const study::PrefillRequest& request) {
  std::vector<std::string> engines;
  for (const Prefill& row : prefills.rows) {
    if (std::find(engines.begin(), engines.end(), row.engine) == engines.end())
      engines.push_back(row.engine);
  }
  std::vector<std::string> notes = {
      fmt::format("Engine: {}{}; it has no time of its own for waiting requests.",
                  fmt::join(engines, ", "), request.engine.empty() ? ", assumed" : ""),
      "One prompt on each engine of the pool; under data-parallel attention the time is that of "
      "prompts on all replicas, shared out. passes: norms, residuals, quantisation and the "
      "permutation to experts. Sending: of the cache, over the NICs of the engine.",
      interval_note(prefills), fmt::format("Fidelity: {}.", fmt::join(prefills.fidelities, "; "))};
  if (const std::string note = what_if_note(request.what_if); !note.empty()) notes.push_back(note);
  const std::int64_t longest =
      request.cached + *std::max_element(request.contexts.begin(), request.contexts.end());
  for (const ModelSpec& model : prefills.models) add_model_notes(notes, model, real(longest));
  return notes;
}

}  // namespace afford
