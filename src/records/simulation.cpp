#include "records/simulation.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "records/notes.hpp"
#include "records/served.hpp"
#include "records/sweep.hpp"
#include "text/quantity.hpp"

namespace afford {
namespace {

using study::Simulation;

std::string too_large(std::string_view pool, const MemoryUse& use, std::int64_t largest_batch) {
  if (use.weights > use.capacity) {
    return fmt::format("{}weights alone need {} of {} an accelerator", pool, human(use.weights),
                       human(use.capacity));
  }
  const std::string fits =
      largest_batch > 0 ? fmt::format("a batch of {} fits", largest_batch) : "not one request fits";
  return fmt::format("{}needs {} of {} an accelerator; {}", pool, human(use.total()),
                     human(use.capacity), fits);
}

const Evaluation& evaluation(const Simulation& s) { return s.result.evaluation; }
Cell us(Seconds time) { return time / microsecond; }

/// The contract's first columns.
Record<Simulation> simulation_columns() {
  return {
      {{"model", "model"}, [](const Simulation& s) { return s.model->name; }},
      {{"deployment", "deployment"}, [](const Simulation& s) { return s.label; }},
      {{"context_tokens", "context", Show::tokens},
       [](const Simulation& s) { return static_cast<std::int64_t>(s.setting.context); }},
      {{"gpus", "GPUs", Show::plain}, [](const Simulation& s) { return evaluation(s).gpus; }},
      {{"batch", "batch", Show::plain},
       [](const Simulation& s) { return static_cast<std::int64_t>(evaluation(s).batch); }},
      {{"micro_batches", "mb", Show::plain},
       [](const Simulation& s) { return std::int64_t{s.micro_batches}; }},
      {{"tpot_ms", "TPOT ms", Show::plain},
       [](const Simulation& s) { return evaluation(s).tpot / millisecond; }},
      {{"tokens_per_gpu_s", "tok/s/GPU", Show::plain},
       [](const Simulation& s) { return evaluation(s).tokens_per_gpu.base(); }},
      {{"usd_per_mtok", "USD/Mtok", Show::money},
       [](const Simulation& s) { return evaluation(s).cost / usd_per_mtok; }},
      {{"attention_us", "attn us", Show::plain},
       [](const Simulation& s) { return us(s.stages().attention); }},
      {{"a2f_us", "A->F us", Show::plain}, [](const Simulation& s) { return us(s.stages().a2f); }},
      {{"ffn_us", "FFN us", Show::plain}, [](const Simulation& s) { return us(s.stages().ffn); }},
      {{"f2a_us", "F->A us", Show::plain}, [](const Simulation& s) { return us(s.stages().f2a); }},
      {{"bound", "bound"}, [](const Simulation& s) { return named(evaluation(s).bound); }},
      {{"feasible", "feasible"}, [](const Simulation& s) { return yes_or_no(s.feasible()); }},
      {{"reason", "reason"},
       [](const Simulation& s) { return reason(evaluation(s), s.setting.tpot_limit); }}};
}

/// A column that people do not see in the table.
Field<Simulation> hidden(const char* key, const char* heading, Show show,
                         std::function<Cell(const Simulation&)> value) {
  return {{key, heading, show, in_files_only}, std::move(value)};
}

/// A time between tokens out of one between steps.
Cell per_token(Seconds step, const Simulation& s) {
  return step / tokens_per_step(s.setting.speculation) / millisecond;
}

Record<Simulation> simulation_details() {
  const auto events = [](const Simulation& s, auto value) {
    return s.result.events ? Cell(value(*s.result.events)) : Cell();
  };
  return {
      hidden("attention_hardware", "attention on", Show::text,
             [](const Simulation& s) { return s.attention_chip; }),
      hidden("ffn_hardware", "FFN on", Show::text, [](const Simulation& s) { return s.ffn_chip; }),
      hidden("tpot_p50_ms", "p50", Show::plain,
             [](const Simulation& s) { return per_token(s.result.p50(), s); }),
      hidden("tpot_p99_ms", "p99", Show::plain,
             [](const Simulation& s) { return per_token(s.result.p99(), s); }),
      hidden("attention_busy", "attention busy", Show::plain,
             [=](const Simulation& s) {
               return events(s, [](const PipelineResult& p) { return p.busy[0]; });
             }),
      hidden("ffn_busy", "FFN busy", Show::plain,
             [=](const Simulation& s) {
               return events(s, [](const PipelineResult& p) { return p.busy[2]; });
             }),
      hidden("bubble", "bubble", Show::plain,
             [=](const Simulation& s) {
               return events(s, [](const PipelineResult& p) { return p.bubble; });
             }),
      hidden("head_us", "head us", Show::plain,
             [](const Simulation& s) { return us(evaluation(s).head); }),
      hidden("attention_memory_gb", "attention GB", Show::plain,
             [](const Simulation& s) { return evaluation(s).attention_memory.total() / GB; }),
      hidden("ffn_memory_gb", "FFN GB", Show::plain,
             [](const Simulation& s) {
               return cell_if(s.result.events.has_value(), evaluation(s).ffn_memory.total() / GB);
             }),
      hidden("largest_batch", "largest batch", Show::plain,
             [](const Simulation& s) { return evaluation(s).largest_batch; }),
      hidden("tokens_per_step", "tok/step", Show::plain,
             [](const Simulation& s) { return tokens_per_step(s.setting.speculation); })};
}

/// Both ends of the interval of the cost; the TPOT's are in served_record().
Record<Simulation> intervals() {
  const auto end = [](const Simulation& s, double factor) {
    return cell_if(s.result.interval.known(), factor * evaluation(s).cost / usd_per_mtok);
  };
  return {hidden("usd_low_per_mtok", "USD from", Show::money,
                 [=](const Simulation& s) { return end(s, s.result.interval.low); }),
          hidden("usd_high_per_mtok", "USD to", Show::money,
                 [=](const Simulation& s) { return end(s, s.result.interval.high); })};
}

/// Whose errors an interval is made of.
std::string errors_behind(const study::Served& served) {
  if (served.engine == no_engine) return "the left-out errors of the curves";
  return served.estimated ? fmt::format("an estimate of the errors of {}", served.engine)
                          : fmt::format("the left-out errors of {}", served.engine);
}

void add_interval_note(std::vector<std::string>& notes, const Simulation& s) {
  const Evaluation& e = evaluation(s);
  const Interval& interval = s.result.interval;
  if (!interval.known()) return;
  const double cost = e.cost / usd_per_mtok;
  const std::string costs =  // of chips without a price there is none
      std::isnan(cost)
          ? ""
          : fmt::format(", {:.3f} to {:.3f} USD/Mtok", interval.low * cost, interval.high * cost);
  notes.push_back(
      fmt::format("{} at {} tokens, 90 % interval: TPOT {:.2f} to {:.2f} ms{}, from {}.", s.label,
                  s.setting.context, interval.low * e.tpot / millisecond,
                  interval.high * e.tpot / millisecond, costs, errors_behind(s.served)));
}

/// What the calibrations say beyond the number.
void add_calibration_notes(std::vector<std::string>& notes, const Simulation& s) {
  add_interval_note(notes, s);
  if (!s.beyond.empty()) {
    notes.push_back(fmt::format("{} at {} tokens: outside the measured range of its curve: {}.",
                                s.label, s.setting.context, fmt::join(s.beyond, ", ")));
  }
  if (!s.uncovered.empty()) {
    notes.push_back(fmt::format("{} at {} tokens: no curve, so at default efficiencies: {}.",
                                s.label, s.setting.context, fmt::join(s.uncovered, ", ")));
  }
  if (!s.widened.empty()) {
    notes.push_back(
        fmt::format("{} at {} tokens: on the curve of a kernel that reads the cache in FP8 and "
                    "multiplies in BF16: {}.",
                    s.label, s.setting.context, fmt::join(s.widened, ", ")));
  }
}

void add_row_notes(std::vector<std::string>& notes, const Simulation& s,
                   const study::SimulationRequest& request) {
  if (s.swept.empty()) add_calibration_notes(notes, s);
  if (!s.micro_batch_sizes.empty()) {
    notes.push_back(fmt::format(
        "{} with micro-batches of {} requests; the stage times shown are those of their mean size.",
        s.label, fmt::join(s.micro_batch_sizes, ", ")));
  }
  if (!s.result.events || request.jitter <= 0) return;
  const double per_token = 1 / tokens_per_step(s.setting.speculation) / millisecond.base();
  notes.push_back(
      fmt::format("{} with jitter {} (seed {}): TPOT p50 {:.2f}, p99 {:.2f} ms at {} "
                  "tokens.",
                  s.label, request.jitter, request.seed, s.result.p50().base() * per_token,
                  s.result.p99().base() * per_token, s.setting.context));
}

}  // namespace

Record<Simulation> simulation_record(const study::SweepPoint& point) {
  return joined<Simulation>(
      {simulation_columns(), simulation_details(),
       fields_of<Simulation>(served_record(), [](const Simulation& s) { return s.served; }),
       intervals(), sweep_record<Simulation>(point, [](const Simulation& s) { return s.swept; })});
}

std::vector<std::string> notes_on(const study::Simulations& simulations,
                                  const study::SimulationRequest& request) {
  std::vector<const HardwareSpec*> chips;
  for (const auto& of_deployment : simulations.chips) {
    for (const HardwareSpec& chip : *of_deployment) chips.push_back(&chip);
  }
  std::vector<std::string> notes = {fmt::format(
      "Fidelity: {}. Stage times: one layer, one micro-batch.", study::fidelity_text(chips))};
  std::vector<EngineUse> uses;
  for (const Simulation& s : simulations.rows) {
    uses.push_back({.afd = s.result.events.has_value(), .label = s.label, .served = &s.served});
  }
  if (const std::string note = engine_note(uses, request.engine); !note.empty())
    notes.push_back(note);
  for (const Simulation& s : simulations.rows) add_row_notes(notes, s, request);
  for (const Simulation& s : simulations.rows) add_model_notes(notes, *s.model, s.setting.context);
  if (const study::SweepPoint& point = request.sweep.front(); !point.empty()) {
    for (const std::string& line : break_even_texts(simulations.swept_costs, point.back()))
      notes.push_back("Cheapest for " + line);
  }
  if (const std::string note = what_if_note(request.what_if, request.sweep.front()); !note.empty())
    notes.push_back(note);
  return notes;
}

std::string reason(const Evaluation& e, Seconds tpot_limit) {
  switch (e.verdict) {
    case Verdict::feasible:
      return "";
    case Verdict::slow:
      return fmt::format("TPOT above {}", human(tpot_limit));
    case Verdict::ffn_memory:
      return too_large("FFN ", e.ffn_memory, e.largest_batch);
    case Verdict::attention_memory:
      break;
  }
  return too_large("", e.attention_memory, e.largest_batch);
}

}  // namespace afford
