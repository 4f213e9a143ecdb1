#pragma once
// What every deployment of a run has in common, and what becomes of it: models with the counts
// their evaluations point into, chips, settings.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/evaluate.hpp"
#include "load/read_once.hpp"
#include "study/inputs.hpp"

namespace afford::study {

/// The load of the experts: what the engine meets, uniform, 1/rank^exponent, or measured (a CSV of
/// expert,tokens).
struct RoutingChoice {
  enum class Kind { engine, uniform, zipf, measured };
  Kind kind = Kind::engine;
  double exponent = 0;
  std::string file;
};

/// A memory bandwidth instead of the chip file's; `chip` empty: of every chip.
struct MemoryBandwidth {
  std::string chip;
  ByteRate rate;
};

struct Conditions {
  std::vector<std::string> models;
  std::vector<std::int64_t> contexts;  // tokens
  WhatIfs what_if;
  Overlap overlap = Overlap::all_gather;
  RoutingChoice routing;
  std::int64_t redundant_experts = 0;  // extra copies of the hottest
  std::int64_t experts = 0;            // upcycle every MoE layer to so many; 0: as the model has
  Seconds tpot_limit{0.050};
  std::optional<ByteRate> nic_bandwidth, scale_up_bandwidth;  // instead of the chips'
  std::vector<MemoryBandwidth> memory_bandwidths;
  std::optional<double> memory_fraction;  // of the memory, instead of the engine's
  std::string calibration;  // "": by the chip's name or architecture; "none"; a name or a path
  /// Whether curves are asked for that another chip's calibration may lend: own_calibrations().
  bool lent_curves = true;
  std::string engine;  // a name or a path; "": those that default_engines() names
  /// What has been read for these and for others copied from them, such as the points of a sweep.
  std::shared_ptr<ReadOnce> files = std::make_shared<ReadOnce>();
};

/// A condition that may have been asked for, and the same without it. What changes no figure of a
/// run is refused there: collectives inside a server, say, feel no NIC.
struct AskedFor {
  std::string_view name;  // as ValueError has it
  bool (*given)(const Conditions&);
  void (*leave_out)(Conditions&);
};
[[nodiscard]] std::span<const AskedFor> conditions_asked_for();

/// One model with everything its evaluations point into. Not to be moved while they are in use.
struct Prepared {
  ModelSpec model;
  std::vector<LayerShape> shapes;
};
/// Throws InputError or UsageError; `left_out` as load_models() has it.
[[nodiscard]] std::vector<Prepared> prepare(const Conditions& conditions,
                                            LeftOut* left_out = nullptr);

/// The engines of a run: of co-located deployments, of AFD where it is another, and none.
struct Engines {
  Engine colocated;
  std::optional<Engine> pools;
  Engine ideal;
};
/// The one that is named, else those of default_engines(): read from their files, so once for all
/// contexts. `chips`: those of the deployments they are for. Throws InputError or UsageError.
[[nodiscard]] Engines engines_of(const Conditions& conditions,
                                 const std::vector<HardwareSpec>& chips);
/// Without that of AFD, whose file is not read.
[[nodiscard]] Engines colocated_engines_of(const Conditions& conditions,
                                           const std::vector<HardwareSpec>& chips);

/// `prepared` must outlive it.
[[nodiscard]] Setting setting_of(const Conditions& conditions, const Prepared& prepared,
                                 double context, const Engines& engines);

/// The same deployment under no engine, with the routing asked for.
[[nodiscard]] Setting without_engine(const Conditions& conditions, const Setting& setting,
                                     const Engines& engines);

/// What stands in for an engine that is not named: a current one for co-located deployments, and
/// one that exists for AFD. Huawei's chips have one engine for both.
struct EngineNames {
  std::string colocated, pools;
};
[[nodiscard]] EngineNames default_engines(const std::vector<const HardwareSpec*>& chips);

/// Chips with the bandwidths asked for; prices and calibrations come with finish_chips(), which
/// wants them all together.
[[nodiscard]] HardwareSpec with_bandwidths(HardwareSpec chip, const Conditions& conditions);
void finish_chips(const std::vector<HardwareSpec*>& chips, const Conditions& conditions,
                  LeftOut* left_out = nullptr);

/// The chips of these names or paths, all different, finished together. Throws InputError or
/// UsageError; `left_out` as load_hardware() has it.
[[nodiscard]] std::vector<HardwareSpec> chips_of(const std::vector<std::string>& names,
                                                 const Conditions& conditions,
                                                 LeftOut* left_out = nullptr);

[[nodiscard]] bool any_calibrated(const std::vector<HardwareSpec>& chips);

/// What two pools rest on, by pool where they differ: "attention calibrated (h200, 2026-11-24);
/// ffn roofline".
[[nodiscard]] std::string fidelity_of(const HardwareSpec& attention, const HardwareSpec& ffn);

/// What every chip of a run rests on, in a sentence's words: "h200 calibrated (h200, 2026-11-24);
/// a800 roofline with default efficiencies", or "roofline with default efficiencies, no
/// calibration".
[[nodiscard]] std::string fidelity_text(const std::vector<const HardwareSpec*>& chips);
[[nodiscard]] std::string fidelity_text(const std::vector<HardwareSpec>& chips);

}  // namespace afford::study
