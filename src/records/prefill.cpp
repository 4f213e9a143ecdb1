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

/// An end of the interval of attention: by a curve's left-out error, so only where it has one.
Cell attention_ms(const Prefill& p, double end) {
  return p.parts.core_measured ? ms(p.parts.core + end * p.parts.core_margin) : Cell();
}

/// What is known of the error.
std::string interval_note(const study::Prefills& prefills) {
  double most = 0;
  bool beyond = false;
  std::string lent;  // "; on h200 those of h100"
  for (const Prefill& row : prefills.rows) {
    if (row.parts.core_measured) most = std::max(most, row.parts.core_margin / row.parts.core);
    beyond = beyond || row.parts.core_beyond;
    if (!row.prompts_from.empty() && lent.find(row.prompts_from) == std::string::npos)
      lent += fmt::format("; {}", row.prompts_from);
  }
  if (most == 0)
    return "No interval: the shares of the peaks come from prompts that interrupted decoding "
           "(docs/engines.md).";
  return fmt::format(
      "Attention on calibrated chips: the curves of measured prefill kernels, within {:.2g} % for "
      "nine of ten points left out of their fit (attention_low_ms to attention_high_ms in "
      "files){}{}. "
      "The other parts have no interval: their shares of the peaks come from prompts that "
      "interrupted decoding (docs/engines.md).",
      100 * most, beyond ? ", but for longer prompts than were measured" : "", lent);
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
       [](const Prefill& p) { return attention_ms(p, -1); }},
      {{"attention_high_ms", "high", Show::plain, in_files_only},
       [](const Prefill& p) { return attention_ms(p, 1); }},
      {{"fidelity", "fidelity", Show::text, in_files_only},
       [](const Prefill& p) { return p.fidelity; }}};
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
