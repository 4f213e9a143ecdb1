#include "study/served_validation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "load/library.hpp"
#include "study/served_prediction.hpp"

namespace afford::study {
namespace {

bool named(const std::string& wanted, const std::string& name) {
  return wanted.empty() || wanted == name;
}

/// The interval of an engine's prediction on a chip: one-sided where no engine stands around it.
TimeInterval interval_on(const HardwareSpec& chip, const Engine& engine, Seconds tpot) {
  const ErrorSpread& spread = engine.time.spread.on(chip.architecture.value);
  if (spread.within == 0 && spread.between == 0) return ideal_interval(tpot);
  return served_interval(tpot, {.spread = spread});
}

ServedRow row_of(const ServedPoint& point, const Engine* engine, ServedLibrary& library) {
  ServedRow row{.point = point, .engine = engine != nullptr ? engine->name : ""};
  if (engine == nullptr) {
    row.why_not = fmt::format("no engine '{}'", point.engine);
    return row;
  }
  const auto set_up = library.set_up(point, *engine);
  if (const auto* why = std::get_if<std::string>(&set_up)) {
    row.why_not = *why;
    return row;
  }
  const auto& deployment = std::get<ServedDeployment>(set_up);
  const ServedTime time = served_time(deployment, *engine);
  row.predicted = {.tpot = time.tpot,
                   .prompts = time.prompts,
                   .interval = interval_on(deployment.chip(), *engine, time.tpot),
                   .first_token = {},
                   .model = deployment.setting.model->name,
                   .context = deployment.setting.context,
                   .gpus = deployment.server.pool.accelerators,
                   .requests = deployment.server.batch};
  if (point.ttft_ms && deployment.prompts_fit_a_step()) {
    row.predicted->first_token = time.first_token;
    row.predicted->first_token_interval =
        first_token_interval(time.first_token, engine->time.prompts);
  }
  return row;
}

/// Why rows were left out, commonest reason first.
std::vector<std::pair<std::string, size_t>> reasons_of(const std::vector<ServedRow>& rows) {
  std::map<std::string, size_t> counts;
  for (const ServedRow& row : rows) {
    if (!row.predicted) ++counts[row.why_not];
  }
  std::vector<std::pair<std::string, size_t>> reasons(counts.begin(), counts.end());
  std::stable_sort(reasons.begin(), reasons.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return reasons;
}

}  // namespace

ServedGroup group_of(const std::vector<ServedRow>& rows, const std::string& engine,
                     const std::string& chip, const std::string& mode) {
  ServedGroup group{.engine = engine, .chip = chip, .mode = mode};
  std::vector<double> deviations, others, beside, first_tokens;
  size_t covered = 0, with_interval = 0, first_token_covered = 0;
  for (const ServedRow& row : rows) {
    const ServedPoint& point = row.point;
    if (!named(engine, point.engine) || !named(chip, point.chip) || !named(mode, point.mode))
      continue;
    if (!row.predicted) {
      ++group.left_out;
      continue;
    }
    deviations.push_back(row.deviation());
    covered += row.covered() ? 1 : 0;
    if (row.predicted->first_token) first_tokens.push_back(row.first_token_deviation());
    if (row.predicted->first_token_interval) {
      ++with_interval;
      first_token_covered += row.first_token_covered() ? 1 : 0;
    }
    if (!point.aiconfigurator_tpot_ms) continue;
    others.push_back(*point.aiconfigurator_tpot_ms / point.tpot_ms - 1);
    beside.push_back(row.deviation());
  }
  group.error = summary_of(deviations);
  group.aiconfigurator = summary_of(others);
  group.beside_it = summary_of(beside);
  group.first_token = summary_of(first_tokens);
  if (with_interval > 0) {
    group.first_token_coverage =
        static_cast<double>(first_token_covered) / static_cast<double>(with_interval);
  }
  if (!deviations.empty())
    group.coverage = static_cast<double>(covered) / static_cast<double>(deviations.size());
  return group;
}

ServedValidation served_validation(const ServedRequest& request) {
  const std::string file = request.points.empty()
                               ? (data_folder() / "validation" / "served.csv").string()
                               : request.points;
  std::optional<Engine> given;
  if (!request.engine.empty()) given = load_engine(request.engine);
  ServedLibrary library;
  ServedValidation validation;
  std::set<std::tuple<std::string, std::string, std::string>> groups;
  std::set<std::pair<std::string, std::string>> chips;
  for (const ServedPoint& point : read_served_points(file)) {
    const Engine* engine = given ? &*given : library.engine_called(point.engine);
    validation.rows.push_back(row_of(point, engine, library));
    groups.emplace(point.engine, point.chip, point.mode);
    chips.emplace(point.chip, point.mode);
  }
  for (const auto& [engine, chip, mode] : groups)
    validation.groups.push_back(group_of(validation.rows, engine, chip, mode));
  for (const auto& [chip, mode] : chips)
    validation.chips.push_back(group_of(validation.rows, "", chip, mode));
  validation.all = group_of(validation.rows, "", "", "");
  validation.reasons = reasons_of(validation.rows);
  return validation;
}

}  // namespace afford::study
