#include "study/sweep.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>

#include "error.hpp"

namespace afford::study {
namespace {

/// choice -> USD per Mtok, at one value of the sweep.
using Costs = std::map<std::string, double>;

const Costs::value_type& cheapest(const Costs& at) {
  return *std::min_element(at.begin(), at.end(),
                           [](const auto& a, const auto& b) { return a.second < b.second; });
}

/// Where the lines of two choices cross between two values, when all four costs exist; else the
/// second value.
double crossing(const std::pair<const double, Costs>& before,
                const std::pair<const double, Costs>& now) {
  const auto &was = cheapest(before.second), &is = cheapest(now.second);
  const auto new_before = before.second.find(is.first), old_now = now.second.find(was.first);
  if (new_before == before.second.end() || old_now == now.second.end()) return now.first;
  const double behind = new_before->second - was.second, ahead = old_now->second - is.second;
  return before.first + (now.first - before.first) * behind / (behind + ahead);
}

double between(const SweptValue& value, double least, double most) {
  if (value.number >= least && value.number <= most) return value.number;
  throw ValueError("sweep", fmt::format(": {} expects a number from {} to {}, got {}", value.name(),
                                        least, most, value.text));
}

[[noreturn]] void throw_unused(const SweptValue& value, std::string_view needed) {
  throw ValueError("sweep", fmt::format(": {} has no effect without {}", value.name(), needed));
}

/// "model.ffn.moe.experts" at one of its values.
Edit edit_of(const SweptValue& value) {
  const size_t dot = value.chip.find('.');
  return {.entry = value.chip.substr(0, dot),
          .path = value.chip.substr(dot + 1),
          .value = value.text,
          .may_keep = true};
}

/// A pool of so many accelerators: part of one server, or as many whole ones.
void resize(PoolRequest& pool, const SweptValue& value) {
  const auto gpus = static_cast<std::int64_t>(value.value);
  if (gpus < 1 || (gpus > pool.accelerators && gpus % pool.accelerators != 0)) {
    throw ValueError("sweep", fmt::format(": gpus expects a part or a multiple of the {} of an "
                                          "instance, got {}",
                                          pool.accelerators, value.text));
  }
  pool.instances = std::max<std::int64_t>(1, gpus / pool.accelerators);
  pool.accelerators = std::min(gpus, pool.accelerators);
}

/// Of the pools and of a co-located one; only of the pools where that has a batch of its own.
void set_batch(DeploymentRequest& request, const SweptValue& value) {
  const auto batch = static_cast<std::int64_t>(value.value);
  const bool own = request.colocated && request.colocated->batch_per_gpu != 0;
  if (own && !request.afd) throw_unused(value, "a pool whose batch is given for all accelerators");
  if (request.afd) request.afd->batch = batch;
  if (request.colocated && !own) request.colocated->batch = batch;
}

}  // namespace

std::string SweptValue::name() const {
  if (parameter == Parameter::edit) return chip;
  const std::string base(info_of(parameter).name);
  return chip.empty() ? base : base + "." + chip;
}

std::string text_of(const SweepPoint& point) {
  std::vector<std::string> parts;
  for (const SweptValue& value : point) parts.push_back(value.name() + " " + value.text);
  return fmt::format("{}", fmt::join(parts, ", "));
}

SweepPoint others_of(const SweepPoint& point) {
  return point.empty() ? point : SweepPoint(point.begin(), point.end() - 1);
}

void apply_sweep(const SweepPoint& point, Conditions& conditions) {
  for (const SweptValue& value : point) {
    switch (value.parameter) {
      case Parameter::price:
        conditions.what_if.prices.push_back(
            {.chip = value.chip, .rate = UsdRate(value.value), .stated = {}, .source = "sweep"});
        break;
      case Parameter::memory_bandwidth:
        conditions.memory_bandwidths.push_back({value.chip, ByteRate(value.value)});
        break;
      case Parameter::nic_bandwidth:
        conditions.nic_bandwidth = ByteRate(value.value);
        break;
      case Parameter::scale_up_bandwidth:
        conditions.scale_up_bandwidth = ByteRate(value.value);
        break;
      case Parameter::tpot:
        conditions.tpot_limit = Seconds(value.value);
        break;
      case Parameter::context:
        conditions.contexts = {static_cast<std::int64_t>(value.value)};
        break;
      case Parameter::acceptance:
        conditions.what_if.speculation.acceptance = value.number;
        break;
      case Parameter::redundant_experts:
        conditions.redundant_experts = static_cast<std::int64_t>(value.value);
        break;
      case Parameter::experts:
        conditions.experts = static_cast<std::int64_t>(value.value);
        break;
      case Parameter::drafts:
        conditions.what_if.speculation.drafts = static_cast<int>(value.value);
        break;
      case Parameter::kv_dtype:
        conditions.what_if.formats.kv = static_cast<Dtype>(static_cast<int>(value.value));
        break;
      case Parameter::engine:
        conditions.engine = value.text;
        break;
      case Parameter::memory_fraction:
        conditions.memory_fraction = between(value, 0.01, 1);
        break;
      case Parameter::edit:
        conditions.what_if.edits.push_back(edit_of(value));
        break;
      default:
        break;
    }
  }
}

void apply_sweep(const SweepPoint& point, DeploymentRequest& request) {
  apply_sweep(point, static_cast<Conditions&>(request));
  for (const SweptValue& value : point) {
    if (value.parameter == Parameter::inventory)
      throw_unused(value, "a search: a deployment says what it takes");
    const auto count = static_cast<std::int64_t>(value.value);
    if (value.parameter == Parameter::batch) set_batch(request, value);
    const bool of_colocated = value.parameter == Parameter::batch_per_gpu ||
                              value.parameter == Parameter::tensor ||
                              value.parameter == Parameter::gpus;
    if (of_colocated && !request.colocated) throw_unused(value, "a co-located pool");
    if (value.parameter == Parameter::batch_per_gpu) request.colocated->batch_per_gpu = count;
    if (value.parameter == Parameter::tensor) request.colocated->tensor = count;
    if (value.parameter == Parameter::gpus) resize(request.colocated->pool, value);
  }
}

void apply_sweep(const SweepPoint& point, SearchRequest& request) {
  for (const SweptValue& value : point) {
    if (value.parameter == Parameter::batch || value.parameter == Parameter::batch_per_gpu)
      throw_unused(value, "a deployment of its own: a search tries every batch");
    if (value.parameter == Parameter::tensor)
      throw_unused(value, "a deployment of its own: a search tries every layout");
    if (value.parameter == Parameter::gpus)
      request.max_gpus = static_cast<std::int64_t>(value.value);
    if (value.parameter == Parameter::inventory) {
      const auto most = static_cast<std::int64_t>(between(value, 0, most_gpus));
      request.inventory.push_back({.chip = value.chip, .accelerators = most, .source = "sweep"});
    }
  }
  apply_sweep(point, static_cast<Conditions&>(request));
}

void apply_sweep(const SweepPoint& point, Workload& workload) {
  Traffic& traffic = workload.traffic;
  Target& target = workload.target;
  for (const SweptValue& value : point) {
    if (value.parameter == Parameter::rate) traffic.requests_per_s = between(value, 1e-6, 1e6);
    if (value.parameter == Parameter::peak_factor) traffic.peak_factor = between(value, 1, 1000);
    if (value.parameter == Parameter::percentile)
      target.percentile = between(value, 1, 99.999) / 100;
    if (value.parameter == Parameter::headroom) target.headroom = between(value, 0, 0.95);
    if (value.parameter == Parameter::spares)
      target.spares = static_cast<int>(between(value, 0, 1000));
  }
  if (traffic.peak_hours < 24 && traffic.peak_factor * traffic.peak_hours > 24)
    throw ValueError("sweep", ": peak-factor times peak_hours is more than a day's requests");
}

std::vector<SweptCost> ever_cheapest(const std::vector<SweptCost>& costs) {
  std::map<std::pair<std::string, double>, const SweptCost*> best;
  for (const SweptCost& cost : costs) {
    const SweptCost*& known = best[{cost.group, cost.at}];
    if (known == nullptr || cost.usd_per_mtok < known->usd_per_mtok) known = &cost;
  }
  std::vector<SweptCost> kept;
  std::copy_if(costs.begin(), costs.end(), std::back_inserter(kept), [&](const SweptCost& cost) {
    return std::any_of(best.begin(), best.end(), [&](const auto& entry) {
      return entry.second->group == cost.group && entry.second->choice == cost.choice;
    });
  });
  return kept;
}

std::vector<BreakEvens> break_evens(const std::vector<SweptCost>& costs, Parameter along) {
  const bool in_steps = along == Parameter::inventory || along == Parameter::gpus;
  std::map<std::string, std::map<double, Costs>> groups;
  for (const SweptCost& cost : costs) groups[cost.group][cost.at][cost.choice] = cost.usd_per_mtok;
  std::vector<BreakEvens> out;
  for (const auto& [group, values] : groups) {
    BreakEvens& line = out.emplace_back(BreakEvens{.group = group, .changes = {}, .last = {}});
    const auto* before = &*values.begin();
    for (const auto& now : values) {
      const std::string& was = cheapest(before->second).first;
      if (was != cheapest(now.second).first)
        line.changes.push_back({was, in_steps ? before->first : crossing(*before, now)});
      before = &now;
    }
    line.last = cheapest(before->second).first;
  }
  return out;
}

}  // namespace afford::study
