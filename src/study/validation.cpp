#include "study/validation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "deploy/weak_card.hpp"
#include "error.hpp"
#include "ideal/matching.hpp"
#include "kernels/formats.hpp"
#include "load/library.hpp"

namespace afford::study {
namespace {

/// The same engine whose host takes no time: what a sum or a span of kernels shows.
Setting without_host(Setting setting) {
  const auto still = [](Engine& engine) {
    engine.between_steps = engine.time.step = engine.time.request = engine.time.draft = Seconds(0);
  };
  still(setting.engine);
  if (setting.pools) still(setting.pools->engine);
  return setting;
}

double of_deployment(const PublishedCase& c, const Deployment& deployment, const Setting& setting) {
  const auto under = [&](const Setting& one) { return simulate(deployment.way, one).evaluation; };
  if (c.quantity == "tokens_per_gpu_s") return under(setting).tokens_per_gpu.base();
  if (c.quantity == "step_ms") return under(setting).step / millisecond;
  if (c.quantity == "kernels_ms") return under(without_host(setting)).step / millisecond;
  throw UsageError(
      fmt::format("validation: case '{}' has an unknown quantity '{}'", c.name, c.quantity));
}

double of_kernel(const PublishedCase& c, const Colocated& deployment, const Setting& setting) {
  const Evaluation e = evaluate(deployment, setting);
  const StageTimes& main = e.runs[e.main_kind].stages;
  if (c.quantity == "dispatch") return main.a2f / microsecond;
  if (c.quantity == "combine") return main.f2a / microsecond;
  const StageOps ops = stage_ops(deployment, setting, e.main_kind);
  for (const OpList* list : {&ops.attention, &ops.ffn}) {
    for (const Op& op : *list) {
      if (op.name == c.quantity) return op.time / microsecond;
    }
  }
  throw UsageError(
      fmt::format("validation: case '{}' names no operation: '{}'", c.name, c.quantity));
}

/// One layer's attention with its projections, the whole batch at once, no router.
double of_attention_layer(const PublishedCase& c, const Colocated& d, const Setting& setting) {
  const std::int64_t tensor = d.layout.attention_tp;
  const Machine machine(*d.pool.chip, setting.engine, setting.residual);
  const AttentionWork work{
      .requests = real(d.batch) * real(tensor) / real(d.pool.size()),
      .context = static_cast<double>(c.context),
      .instance = tensor,
      .split = tensor > 1 ? AttentionSplit::tensor : AttentionSplit::replicated,
      .overlap = Overlap::none};
  return attention_ops(*setting.model, setting.shapes->back(), work, machine).time() / microsecond;
}

double of_weak_card(const PublishedCase& c, const ModelSpec& model, const HardwareSpec& chip) {
  const Seconds stage(16.6e-3);  // the report's figure for a third of 50 ms
  const WeakCard card = weak_card(model, chip, stage, static_cast<double>(c.context));
  const double server = static_cast<double>(chip.server_accelerators.value);
  if (c.quantity == "layer_mb") return card.layer / MB;
  if (c.quantity == "projections_mb") return card.projections / MB;
  if (c.quantity == "kv_mb") return card.kv / MB;
  if (c.quantity == "kv_tokens") return card.kv_tokens;
  if (c.quantity == "batch") return card.batch;
  if (c.quantity == "ffn_mb") return card.ffn_layer / MB;
  if (c.quantity == "ffn_cards") return card.ffn_servers * server;
  // The report scales the L20's servers by bandwidth.
  const HardwareSpec l20 = load_chip("l20");
  const double servers = weak_card(model, l20, stage, static_cast<double>(c.context)).ffn_servers;
  return std::ceil(servers * (l20.memory_bandwidth.value / chip.memory_bandwidth.value)) * server;
}

double value_of(const PublishedCase& c, const ModelSpec& model, const Deployment& deployment,
                const Setting& setting) {
  const HardwareSpec& chip = deployment.chips.front();
  switch (c.kind) {
    case CaseKind::afd:
    case CaseKind::colocated:
      return of_deployment(c, deployment, setting);
    case CaseKind::kernel:
      return of_kernel(c, *deployment.colocated(), setting);
    case CaseKind::attention_layer:
      return of_attention_layer(c, *deployment.colocated(), setting);
    case CaseKind::weak_card:
      return of_weak_card(c, model, chip);
    case CaseKind::min_sparsity:
      break;
  }
  return min_sparsity(model, ridge(chip, Dtype::fp8), server_network(chip), {});
}

/// A prediction and what it rests on.
struct Prediction {
  double value = 0;
  std::string fidelity;
  Interval interval;  // of a deployment's time
};

/// None where a calibrated system finds no calibration for its chips.
std::optional<Prediction> predict(PublishedCase c, const System& system,
                                  const std::string& calibration, LeftOut& left_out) {
  if (system.calibrated) c.request.calibration = calibration;
  const Prepared prepared = std::move(prepare(c.request).front());
  const Deployment deployment =
      std::move(deployments_of(c.request, prepared.model, &left_out).front());
  if (system.calibrated && !deployment.calibrated()) return std::nullopt;
  const auto context = static_cast<double>(std::max<std::int64_t>(c.context, 1));
  const Setting setting =
      setting_of(c.request, prepared, context, engines_of(c.request, deployment));
  const bool timed = c.kind == CaseKind::afd || c.kind == CaseKind::colocated;
  return Prediction{value_of(c, prepared.model, deployment, setting), deployment.fidelity(),
                    timed ? interval_of(deployment.way, setting) : Interval{}};
}

/// Whether the measured time lies in the interval of the predicted one; figures are times or rates.
std::optional<bool> covered(const PublishedCase& c, const Prediction& prediction) {
  if (!prediction.interval.known()) return std::nullopt;
  const bool rate = c.quantity == "tokens_per_gpu_s";
  const double ratio = rate ? prediction.value / c.published : c.published / prediction.value;
  return prediction.interval.low <= ratio && ratio <= prediction.interval.high;
}

Judged judge(const PublishedCase& c, const PublishedCases& cases, const Prediction& prediction) {
  constexpr double rounding = 1e-9;  // of a deviation that equals its tolerance
  const double deviation = 100 * (prediction.value / c.published - 1);
  return {.of = c,
          .source = cite(cases.sources, c.source),
          .assumptions = cases.systems.at(c.system).about,
          .fidelity = prediction.fidelity,
          .predicted = prediction.value,
          .deviation_pct = deviation,
          .within = std::fabs(deviation) <= c.tolerance_pct + rounding,
          .covered = covered(c, prediction)};
}

Validation checked(std::vector<KernelTable> tables, const std::string& calibration,
                   ReadOnce& files) {
  Validation out;
  for (const KernelTable& table : tables)
    out.checks.push_back(check_kernels(table, calibration, files, &out.left_out));
  out.tables = std::move(tables);
  return out;
}

}  // namespace

size_t Validation::outside() const {
  return static_cast<size_t>(
      std::count_if(judged.begin(), judged.end(), [](const Judged& j) { return !j.within; }));
}

bool Validation::all_within() const {
  return outside() == 0 && std::all_of(checks.begin(), checks.end(),
                                       [](const KernelCheck& check) { return check.within; });
}

Validation validation(const std::string& calibration) {
  const std::string file = (data_folder() / "validation" / "cases.yaml").string();
  const std::string tables = (data_folder() / "validation" / "kernels.yaml").string();
  PublishedCases cases = read_published_cases(yaml::parse_file(file), file);
  const auto files = std::make_shared<ReadOnce>();  // cases and tables share most of them
  Validation out =
      checked(read_kernel_tables(yaml::parse_file(tables), tables), calibration, *files);
  for (PublishedCase& c : cases.list) {
    c.request.files = files;
    const auto prediction = predict(c, cases.systems.at(c.system), calibration, out.left_out);
    if (!prediction)
      ++out.skipped;
    else
      out.judged.push_back(judge(c, cases, *prediction));
  }
  out.cases = std::move(cases);
  return out;
}

Validation validation_of_tables(const std::string& folder, const std::string& calibration) {
  ReadOnce files;
  return checked(read_table_folder(folder), calibration, files);
}

}  // namespace afford::study
