#include "study/pipeline_timeline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace afford::study {
namespace {

void add_process(std::vector<std::string>& events, int process, const std::string& name,
                 const std::vector<StageSpan>& spans) {
  std::map<int, std::string> rows;
  for (const StageSpan& span : spans) {
    std::string& row = rows[span.gpu];
    if (row.find(span.stage) == std::string::npos) row += (row.empty() ? "" : " and ") + span.stage;
  }
  const auto named = [&](const char* what, int row, const std::string& text) {
    events.push_back(
        fmt::format(R"({{"name":"{}","ph":"M","pid":{},"tid":{},"args":{{"name":"{}"}}}})", what,
                    process, row, text));
  };
  named("process_name", 0, name);
  for (const auto& [gpu, row] : rows)
    named("thread_name", gpu, fmt::format("GPU {}, {}", gpu, row));
  for (const StageSpan& span : spans)
    events.push_back(fmt::format(
        R"({{"name":"mb{} layer {} {}","ph":"X","pid":{},"tid":{},"ts":{:.3f},"dur":{:.3f}}})",
        span.micro_batch, span.layer, span.stage, process, span.gpu, span.start_us,
        span.end_us - span.start_us));
}

}  // namespace

std::vector<StageSpan> predicted_timeline(const PipelinePoint& point,
                                          const PipelinePrediction& predicted, int layers) {
  const auto attention_gpus = static_cast<int>(attention_gpus_of(point)),
             gpus = static_cast<int>(gpus_of(point));
  const bool pooled = gpus > attention_gpus;
  const auto micro_batches = static_cast<size_t>(point.micro_batches);
  std::vector<Seconds> ready(micro_batches, Seconds(0));  // what attention needs has arrived
  Seconds attention_free(0), ffn_free(0);
  std::vector<StageSpan> spans;
  const auto add = [&](bool attends, int layer, size_t micro_batch, Seconds start, Seconds end) {
    const int first = attends || !pooled ? 0 : attention_gpus,
              last = attends ? attention_gpus : gpus;
    for (int gpu = first; gpu < last; ++gpu)
      spans.push_back({gpu, attends ? "attention" : "FFN", layer, static_cast<int>(micro_batch),
                       start / microsecond, end / microsecond});
  };
  for (int layer = 0; layer < layers; ++layer) {
    for (size_t m = 0; m < micro_batches; ++m) {
      const Seconds attends = std::max(attention_free, ready[m]),
                    attended = attends + predicted.attention;
      add(true, layer, m, attends, attended);
      const Seconds feeds = std::max(ffn_free, attended + predicted.edge),
                    fed = feeds + predicted.slowest_ffn;
      add(false, layer, m, feeds, fed);
      ready[m] = fed + predicted.edge;
      ffn_free = fed;
      attention_free = pooled ? attended : ready[m];  // else the FFN runs on the same GPUs
    }
  }
  return spans;
}

std::string timelines_trace(const std::vector<StageSpan>& measured,
                            const std::vector<StageSpan>& predicted) {
  std::vector<std::string> events;
  add_process(events, 0, "measured", measured);
  if (!predicted.empty()) add_process(events, 1, "predicted", predicted);
  return fmt::format("{{\"traceEvents\":[\n{}],\"displayTimeUnit\":\"ms\"}}\n",
                     fmt::join(events, ",\n"));
}

}  // namespace afford::study
