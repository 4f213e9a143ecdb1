#pragma once
// Studies of ideal decoding (Step-3 report, Sections 4 and 5): what a token costs on each chip, the
// cheapest chips for each model, and whether a model fits a chip at all.

#include <optional>
#include <string>
#include <vector>

#include "ideal/ideal.hpp"
#include "ideal/matching.hpp"
#include "study/inputs.hpp"

namespace afford::study {

struct IdealRequest {
  std::vector<std::string> models{"all"}, chips{"h800", "h20", "a800", "910b"};
  std::vector<std::int64_t> contexts{8192, 32768};  // tokens
  WhatIfs what_if;
  Convention convention = Convention::paper;
};

/// Everything a request names, loaded, checked and compiled.
struct IdealInputs {
  std::vector<ModelSpec> models;    // with the formats asked for
  std::vector<DecodeTerms> terms;   // of each model
  std::vector<HardwareSpec> chips;  // with the prices asked for
  std::vector<std::int64_t> contexts;
  Convention convention = Convention::paper;
  Speculation speculation;
  double pue = 1;    // power of the site over that of the chips
  LeftOut left_out;  // of "all"
};
/// Throws InputError or UsageError.
[[nodiscard]] IdealInputs load(const IdealRequest& request);

/// Without the chips that state no price, whose names come back. Throws ValueError where none does.
[[nodiscard]] std::vector<std::string> leave_out_unpriced(IdealInputs& inputs);

/// One model on one chip at one context. The pointers, into the inputs, are never null.
struct IdealCase {
  const ModelSpec* model = nullptr;
  const DecodeTerms* terms = nullptr;  // of the model
  const HardwareSpec* chip = nullptr;
  std::int64_t context = 0;
  Convention convention = Convention::paper;
  Speculation speculation;
  double pue = 1;
};

/// Counts and ideal USD of one case.
struct Cost {
  IdealCase of;
  Precision run;  // as the chip runs the model
  Roofs roofs;
  DecodeCount count;
  IdealCost ideal;
};
[[nodiscard]] Cost cost_of(const IdealCase& at);
/// Of a token on one chip, which draws its data sheet's power while it works on it: by side, and of
/// both. Not a number where the chip states no power.
struct IdealEnergy {
  JoulesPerToken attention, ffn;
  [[nodiscard]] JoulesPerToken total() const { return attention + ffn; }
};
[[nodiscard]] IdealEnergy energy_of(const Cost& cost);
/// Every case: contexts, then models, then chips, in the order asked for.
[[nodiscard]] std::vector<Cost> costs(const IdealInputs& inputs);
std::vector<Cost> costs(IdealInputs&& inputs) = delete;  // they would point into what is gone

/// One model at one context with its cheapest chips; indices into the inputs.
struct Comparison {
  const IdealInputs* inputs = nullptr;
  size_t model = 0;
  std::int64_t context = 0;
  CheapestChips chips;
  UsdPerToken attention, ffn, single;
  [[nodiscard]] UsdPerToken afd() const { return attention + ffn; }
  [[nodiscard]] JoulesPerToken afd_energy() const;
  [[nodiscard]] JoulesPerToken single_energy() const;
  /// The case of the model on one of the chips.
  [[nodiscard]] IdealCase on(size_t chip) const;
};
/// Contexts in the order asked for, the cheapest model first within each.
[[nodiscard]] std::vector<Comparison> comparisons(const IdealInputs& inputs);
std::vector<Comparison> comparisons(IdealInputs&& inputs) = delete;

/// How the pipeline shares out a token's time, and the network it runs over.
struct MatchRequest {
  PipelineBudget budget;
  std::optional<ByteRate> nic_bandwidth;  // measured, instead of the chips'
};

/// Whether a model fits a chip (Section 5).
struct Match {
  IdealCase of;
  Precision run;  // as the chip runs the model
  PipelineBudget budget;
  ByteRate network;  // of a server
  FlopsPerByte intensity, ridge;
  Bound bound = Bound::memory;                               // of core attention
  DecodeTime time;                                           // of a token, every part at its roof
  double sparsity = 1, min_sparsity = 0, min_ffn_batch = 0;  // batch in tokens
  [[nodiscard]] bool network_keeps_up() const { return sparsity >= min_sparsity; }
};
/// Models, then chips, then contexts, in the order asked for.
[[nodiscard]] std::vector<Match> matches(const IdealInputs& inputs, const MatchRequest& request);
std::vector<Match> matches(IdealInputs&& inputs, const MatchRequest& request) = delete;

}  // namespace afford::study
