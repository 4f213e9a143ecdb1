#pragma once
// One run for each value of what is usually fixed, and where the cheapest choice changes.

#include <string>
#include <string_view>
#include <vector>

#include "plan/workload.hpp"
#include "study/deployment.hpp"
#include "study/search.hpp"

namespace afford::study {

enum class Parameter {
  price,
  memory_bandwidth,
  nic_bandwidth,
  scale_up_bandwidth,
  tpot,
  context,
  acceptance,
  batch,
  batch_per_gpu,
  redundant_experts,
  experts,
  drafts,
  tensor,
  gpus,
  inventory,
  kv_dtype,
  engine,
  memory_fraction,
  edit,
  rate,
  peak_factor,
  percentile,
  headroom,
  spares
};

/// What the values of a parameter are.
enum class SweptUnit { usd_per_hour, gb_per_s, milliseconds, tokens, count, number, text };

struct ParameterInfo {
  Parameter parameter = Parameter::price;
  std::string_view name;    // "memory-bandwidth"
  std::string_view suffix;  // of its column's key: "_gb_per_s"
  SweptUnit unit = SweptUnit::number;
  bool of_chip = false;      // may name a chip: "memory-bandwidth.h20"
  bool of_workload = false;  // of `plan` alone
};

inline constexpr ParameterInfo parameters[] = {
    {Parameter::price, "price", "_usd_per_h", SweptUnit::usd_per_hour, true},
    {Parameter::memory_bandwidth, "memory-bandwidth", "_gb_per_s", SweptUnit::gb_per_s, true},
    {Parameter::nic_bandwidth, "nic-bandwidth", "_gb_per_s", SweptUnit::gb_per_s},
    {Parameter::scale_up_bandwidth, "scale-up-bandwidth", "_gb_per_s", SweptUnit::gb_per_s},
    {Parameter::tpot, "tpot", "_ms", SweptUnit::milliseconds},
    {Parameter::context, "context", "_tokens", SweptUnit::tokens},
    {Parameter::acceptance, "acceptance", "", SweptUnit::number},
    {Parameter::batch, "batch", "", SweptUnit::count},
    {Parameter::batch_per_gpu, "batch-per-gpu", "", SweptUnit::count},
    {Parameter::redundant_experts, "redundant-experts", "", SweptUnit::count},
    {Parameter::experts, "experts", "", SweptUnit::count},
    {Parameter::drafts, "mtp", "", SweptUnit::count},
    {Parameter::tensor, "tp", "", SweptUnit::count},
    {Parameter::gpus, "gpus", "", SweptUnit::count},
    {Parameter::inventory, "inventory", "", SweptUnit::count, true},
    {Parameter::kv_dtype, "kv-dtype", "", SweptUnit::text},
    {Parameter::engine, "engine", "", SweptUnit::text},
    {Parameter::memory_fraction, "memory-fraction", "", SweptUnit::number},
    {Parameter::edit, "model.PATH, engine.PATH, CHIP.PATH", "", SweptUnit::text},
    {Parameter::rate, "rate", "_per_s", SweptUnit::number, false, true},
    {Parameter::peak_factor, "peak-factor", "", SweptUnit::number, false, true},
    {Parameter::percentile, "percentile", "", SweptUnit::number, false, true},
    {Parameter::headroom, "headroom", "", SweptUnit::number, false, true},
    {Parameter::spares, "spares", "", SweptUnit::count, false, true}};

[[nodiscard]] constexpr const ParameterInfo& info_of(Parameter parameter) {
  return parameters[static_cast<size_t>(parameter)];
}

/// One value of one parameter.
struct SweptValue {
  Parameter parameter = Parameter::price;
  std::string chip;   // empty: every chip, or not a parameter of chips; the path of an edit
  std::string text;   // as the user wrote it: "40ms"
  double number = 0;  // in the unit of its column; of a text its turn
  double value = 0;   // in base units: seconds, bytes/s, USD/s, tokens

  /// "price.h800".
  [[nodiscard]] std::string name() const;
};
/// One value of each parameter that is swept; empty without a sweep.
using SweepPoint = std::vector<SweptValue>;

/// "price.h800 1.25, tpot 40ms".
[[nodiscard]] std::string text_of(const SweepPoint& point);
/// All but the last value, which is what break-even points are along.
[[nodiscard]] SweepPoint others_of(const SweepPoint& point);

/// The request with what the point says; parameters of the workload, and of deployments where the
/// request has none, are left alone.
void apply_sweep(const SweepPoint& point, Conditions& conditions);
void apply_sweep(const SweepPoint& point, DeploymentRequest& request);
void apply_sweep(const SweepPoint& point, SearchRequest& request);
/// Throws ValueError for a value out of range.
void apply_sweep(const SweepPoint& point, Workload& workload);

/// The cost of one choice (a pair of chips, a deployment) at one value of a sweep, everything else
/// in `group`.
struct SweptCost {
  std::string group, choice;
  double at = 0, usd_per_mtok = 0;
};

/// The costs of the choices that are cheapest somewhere.
[[nodiscard]] std::vector<SweptCost> ever_cheapest(const std::vector<SweptCost>& costs);

/// Where the cheapest choice of a group changes, by linear interpolation between the values tried.
/// Along a number of accelerators, which costs follow in steps: the last one tried before.
struct BreakEvens {
  std::string group;
  struct Change {
    std::string until;  // the choice that is cheapest up to `at`
    double at = 0;
  };
  std::vector<Change> changes;
  std::string last;  // cheapest from there on
};
[[nodiscard]] std::vector<BreakEvens> break_evens(const std::vector<SweptCost>& costs,
                                                  Parameter along);

}  // namespace afford::study
