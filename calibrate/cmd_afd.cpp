#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <optional>

#include "afd_run.hpp"
#include "calibration/chip_timing.hpp"
#include "commands.hpp"
#include "error.hpp"
#include "interrupt.hpp"
#include "load/library.hpp"
#include "load/readers.hpp"
#include "report/output_file.hpp"
#include "study/pipelines.hpp"
#include "text/number.hpp"
#include "text/suggest.hpp"
#include "watchdog.hpp"
#include "yaml/document.hpp"

namespace afford::calibrate {
namespace {

constexpr std::chrono::seconds longest_pipeline{90};

/// "64x8k": 64 requests of 8192 tokens; "1x128k+31x4k": of two lengths.
std::vector<int> parse_batch(const std::string& text) {
  std::vector<int> lengths;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.size(), text.find('+', begin));
    const std::string part = text.substr(begin, end - begin);
    const size_t by = part.find('x');
    const auto requests = parse_integer(part.substr(0, by)).value_or(0);
    const auto context =
        by == std::string::npos ? 0 : parse_token_count(part.substr(by + 1)).value_or(0);
    if (requests < 1 || context < 2 || requests > (1 << 20) || context > (1 << 20))
      throw UsageError(fmt::format(
          "--batches: expected REQUESTSxCONTEXT such as 64x8k, or several of them joined by '+', "
          "got '{}'",
          text));
    lengths.insert(lengths.end(), static_cast<size_t>(requests), static_cast<int>(context));
    begin = end + 1;
  }
  return lengths;
}

/// The groups of equal neighbours: "1x131072+31x4096"; "" where all are equal.
std::string groups_of(const std::vector<int>& lengths) {
  std::string text;
  for (size_t begin = 0; begin < lengths.size();) {
    size_t end = begin;
    while (end < lengths.size() && lengths[end] == lengths[begin]) ++end;
    if (end - begin == lengths.size()) return "";
    text += fmt::format("{}{}x{}", text.empty() ? "" : "+", end - begin, lengths[begin]);
    begin = end;
  }
  return text;
}

Dtype parse_cache(const std::string& name) {
  if (name == "bf16") return Dtype::bf16;
  if (name == "fp8") return Dtype::fp8;
  throw UsageError(fmt::format("--cache: expected bf16 or fp8, got '{}'", name));
}

/// All pipelines asked for: every layout with every batch and number of micro-batches.
std::vector<PipelineShape> shapes_of(const AfdOptions& options, const ModelSpec& model) {
  std::vector<PipelineShape> shapes;
  for (const std::string& name : options.layouts) {
    const Layout layout = parse_layout(name);
    const int ways = layout.tensor ? static_cast<int>(layout.ffn.size()) : 1;
    const DecodeLayer layer = decode_layer(model, parse_cache(options.cache), options.shard * ways);
    for (const std::string& text : options.batches)
      for (const int micro_batches : options.micro_batches)
        shapes.push_back({layout, layer, parse_batch(text), micro_batches});
  }
  return shapes;
}

PipelinePoint described(const AfdOptions& options, const Provenance& from,
                        const PipelineShape& shape, const ModelSpec& model) {
  PipelinePoint point;
  point.date = from.date, point.chip = from.chip, point.device = from.device;
  point.driver = from.driver, point.cuda = from.cuda, point.commit = from.commit;
  point.model = model.name, point.layout = shape.layout.name, point.cache = options.cache;
  point.shard = options.shard;
  point.requests = shape.requests();
  point.context =
      std::accumulate(shape.lengths.begin(), shape.lengths.end(), std::int64_t{0}) / point.requests;
  point.lengths = groups_of(shape.lengths);
  point.micro_batches = shape.micro_batches, point.layers = shape.layer.layers;
  return point;
}

/// What afford says of these pipelines: nothing where it has no links of the chip.
struct Predictor {
  std::optional<HardwareSpec> chip;
  std::string missing;  // why there is no chip

  [[nodiscard]] std::optional<study::PipelinePrediction> of(const PipelinePoint& point,
                                                            const ModelSpec& model) const {
    if (!chip) return std::nullopt;
    return study::predict_pipeline(point, model, *chip);
  }
};

/// Throws UsageError for a calibration that was asked for and will not do.
Predictor predictor_for(const std::string& chip, const std::string& calibration) {
  try {
    return {study::with_links(load_hardware({chip}).front(), calibration), ""};
  } catch (const ValueError& error) {
    if (!calibration.empty()) throw UsageError("--calibration" + error.complaint());
    return {std::nullopt, error.what()};
  } catch (const std::runtime_error& error) {  // no data folder, or none with this chip
    if (!calibration.empty()) throw;
    return {std::nullopt, error.what()};
  }
}

/// Of a micro-batch's time in the busiest GPU, the percentage in which that GPU waits.
double bubble_pct(const PipelinePoint& p, double each_us) {
  const bool apart = study::gpus_of(p) > study::attention_gpus_of(p);
  const double busy = apart ? std::max(p.attention_us, p.ffn_us) : p.attention_us + p.ffn_us;
  return 100 * (1 - busy / each_us);
}

std::string row(const PipelinePoint& p) {
  const std::string what =
      fmt::format("{:<7} {:>5} x {:<6} {:>2}", p.layout, p.requests, p.context, p.micro_batches);
  if (p.layer_us == 0) return fmt::format("{}  {}\n", what, p.rejected);
  const double each = p.layer_us / static_cast<double>(p.micro_batches);
  const study::PipelineRate rate = study::pipeline_rate(p, p.layer_us * microsecond);
  return fmt::format(
      "{} {:>9.1f} {:>9.1f} {:>9.1f} {:>9.1f} {:>9.1f} {:>8.1f} {:>8.2f} {:>9.1f} {:>7.3f} "
      "{:>7.3f}  {}\n",
      what, each, p.attention_us, p.core_us, p.ffn_us, p.experts_us, bubble_pct(p, each),
      rate.tpot / millisecond, rate.tokens_per_second, p.attention_error, p.ffn_error, p.rejected);
}

std::string predicted_row(const PipelinePoint& p, const study::PipelinePrediction& predicted) {
  const study::PipelineRate rate = study::pipeline_rate(p, predicted.layer);
  const double layer_us = predicted.layer / microsecond;
  return fmt::format(
      "{:<26} {:>9.1f} {:>9.1f} {:>9} {:>9.1f} {:>9} {:>8} {:>8.2f} {:>9.1f}  {}\n", "  predicted",
      layer_us / static_cast<double>(p.micro_batches), predicted.attention / microsecond, "",
      predicted.ffn / microsecond, "", "", rate.tpot / millisecond, rate.tokens_per_second,
      p.layer_us > 0 ? fmt::format("{:+.1f} %", 100 * (layer_us / p.layer_us - 1)) : "");
}

constexpr std::string_view heading =
    "layout   batch x context  M  us a mb. attention      core       ffn   experts bubble % "
    "TPOT ms tok/s/GPU  errors\n";

}  // namespace

int afd(const AfdOptions& options) {
  const ModelSpec model = read_model(yaml::parse_file(options.model), options.model);
  const std::vector<PipelineShape> shapes = shapes_of(options, model);
  if (!options.trace.empty() && shapes.size() > 1)
    throw UsageError(fmt::format(
        "--trace: of a single pipeline, and these are {}; give one layout, one batch and one "
        "--micro-batches",
        shapes.size()));
  int gpus = 0;
  for (const PipelineShape& shape : shapes) gpus = std::max(gpus, shape.layout.gpus());
  Server server = open_server(gpus);
  const Provenance from = provenance_of(server.sessions.front(), "afford-calibrate afd");
  const Predictor predictor = predictor_for(from.chip, options.calibration);
  catch_interrupts();
  fmt::print("{}: {}\n", model.name, layer_text(shapes.front().layer));
  if (predictor.chip)
    fmt::print("Predicted from: {}\n{}", fidelity_of(*predictor.chip), heading);
  else
    fmt::print("No prediction: {}\n{}", predictor.missing, heading);
  Watchdog watchdog(longest_pipeline, [] {
    fmt::print(stderr, "afford-calibrate: a pipeline did not end within {} s\n",
               longest_pipeline.count());
    std::fflush(nullptr);
    std::_Exit(exit_no);
  });
  std::vector<PipelinePoint> points;
  for (const PipelineShape& shape : shapes) {
    if (interrupted()) break;
    std::vector<StageSpan> spans;
    points.push_back(run_pipeline(server, shape, described(options, from, shape, model),
                                  options.trace.empty() ? nullptr : &spans));
    watchdog.alive();
    const PipelinePoint& point = points.back();
    const auto predicted = predictor.of(point, model);
    fmt::print("{}{}", row(point), predicted ? predicted_row(point, *predicted) : "");
    if (!spans.empty()) {
      const auto beside = predicted ? study::predicted_timeline(point, *predicted, traced_layers)
                                    : std::vector<StageSpan>{};
      write_whole(options.trace, study::timelines_trace(spans, beside));
    }
    std::fflush(stdout);
    write_whole(options.output, pipelines_csv(points));
  }
  if (points.size() < shapes.size()) return exit_interrupted;
  const bool any = std::any_of(points.begin(), points.end(),
                               [](const PipelinePoint& p) { return p.rejected.empty(); });
  return any ? exit_done : exit_no;
}

}  // namespace afford::calibrate
