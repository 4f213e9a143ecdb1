#include "records/timeline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "report/record.hpp"

namespace afford {
namespace {
constexpr std::array stage_names = {"attention", "A->F", "FFN", "F->A"};

/// When the first of them starts.
Seconds origin_of(std::span<const PipelineEvent> events) {
  Seconds origin = events.empty() ? Seconds(0) : events.front().start;
  for (const PipelineEvent& event : events) origin = std::min(origin, event.start);
  return origin;
}

struct ListedEvent {
  std::int64_t row;
  Seconds origin;
  const PipelineEvent* event;
};

Record<ListedEvent> event_record() {
  return {{{"row", "row", Show::plain}, [](const ListedEvent& l) { return l.row; }},
          {{"stage", "stage"},
           [](const ListedEvent& l) {
             return named(stage_names.at(static_cast<size_t>(l.event->stage)));
           }},
          {{"micro_batch", "micro-batch", Show::plain},
           [](const ListedEvent& l) { return std::int64_t{l.event->micro_batch}; }},
          {{"layer", "layer", Show::plain}, [](const ListedEvent& l) { return l.event->layer; }},
          {{"head", "LM head"}, [](const ListedEvent& l) { return yes_or_no(l.event->head); }},
          {{"start_us", "start us", Show::plain},
           [](const ListedEvent& l) { return (l.event->start - l.origin) / microsecond; }},
          {{"end_us", "end us", Show::plain},
           [](const ListedEvent& l) { return (l.event->end - l.origin) / microsecond; }}};
}

}  // namespace

Table events_table(const study::Simulations& simulations) {
  std::vector<ListedEvent> all;
  for (size_t row = 0; row < simulations.rows.size(); ++row) {
    const auto& result = simulations.rows[row].result.events;
    if (!result) continue;
    const Seconds origin = origin_of(result->events);
    for (const PipelineEvent& event : result->events)
      all.push_back({static_cast<std::int64_t>(row), origin, &event});
  }
  Table table = table_of(event_record(), all);
  table.title = "The pipeline's last step";
  return table;
}

std::string chrome_trace(std::span<const PipelineEvent> events) {
  nlohmann::ordered_json trace;
  auto& list = trace["traceEvents"] = nlohmann::ordered_json::array();
  for (size_t s = 0; s < stage_names.size(); ++s) {
    list.push_back({{"name", "thread_name"},
                    {"ph", "M"},
                    {"pid", 0},
                    {"tid", s},
                    {"args", {{"name", stage_names[s]}}}});
  }
  const Seconds origin = origin_of(events);
  for (const PipelineEvent& event : events) {
    list.push_back(
        {{"name", event.head ? fmt::format("mb{} head", event.micro_batch)
                             : fmt::format("mb{} layer {}", event.micro_batch, event.layer)},
         {"ph", "X"},
         {"pid", 0},
         {"tid", event.stage},
         {"ts", (event.start - origin) / microsecond},
         {"dur", (event.end - event.start) / microsecond},
         {"args", {{"micro_batch", event.micro_batch}, {"layer", event.layer}}}});
  }
  trace["displayTimeUnit"] = "ms";
  return trace.dump() + "\n";
}

std::string terminal_timeline(std::span<const PipelineEvent> events, int micro_batches) {
  constexpr size_t width = 96;
  constexpr std::int64_t layers_shown = 3;
  std::int64_t last_layer = 0;
  for (const PipelineEvent& event : events) last_layer = std::max(last_layer, event.layer);
  // From the first micro-batch's attention in a middle layer on.
  const std::int64_t middle = std::max<std::int64_t>(0, last_layer / 2);
  Seconds from(0), to(0);
  for (const PipelineEvent& event : events) {
    if (event.micro_batch != 0 || event.stage != 0 || event.head) continue;
    if (event.layer == middle) from = event.start;
    if (event.layer == std::min(middle + layers_shown, last_layer)) to = event.start;
  }
  if (to <= from) return "";
  std::array<std::string, stage_names.size()> rows;
  rows.fill(std::string(width, '.'));
  for (const PipelineEvent& event : events) {
    const auto at = [&](Seconds time) {
      return std::clamp((time - from) / (to - from), 0.0, 1.0) * width;
    };
    const auto begin = static_cast<size_t>(at(event.start)),
               end = static_cast<size_t>(at(event.end));
    const char mark = micro_batches <= 9 ? static_cast<char>('1' + event.micro_batch) : '#';
    for (size_t i = begin; i < end; ++i) rows[static_cast<size_t>(event.stage)][i] = mark;
  }
  std::string out = fmt::format(
      "\nLayers {} to {} ({:.0f} us; digits are micro-batches, dots idle time)\n", middle,
      std::min(middle + layers_shown, last_layer) - 1, (to - from) / microsecond);
  for (size_t s = 0; s < rows.size(); ++s)
    out += fmt::format("  {:<10}{}\n", stage_names[s], rows[s]);
  return out;
}

}  // namespace afford
