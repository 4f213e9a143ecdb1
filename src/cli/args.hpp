#pragma once
// Flags the verbs share, and how they become a study: models, chips, contexts and what-ifs.

#include <optional>
#include <string>
#include <vector>

#include "cli/verb.hpp"
#include "count/decode.hpp"
#include "load/library.hpp"
#include "report/table.hpp"

namespace afford::cli {

struct OutputArgs {
  std::string format = "table", file;
};
void add_output(Verb& verb, OutputArgs& args);

/// Throws UsageError for an unknown format.
[[nodiscard]] Format format_of(const OutputArgs& args);

/// The rendered table to -o or stdout; `after` (explanations) follows it.
void emit(const Table& table, const OutputArgs& args, const std::string& after = "");

struct StudyArgs {
  std::vector<std::string> models{"all"}, hardware{"h800", "h20", "a800", "910b"},
      contexts{"8k", "32k"};
  std::vector<std::string> prices;
  std::string attention_dtype, kv_dtype, weight_dtype, convention = "paper";
  int drafts = 0;
  double acceptance = -1;
  std::string plot;
  bool explain = false;
  OutputArgs output;
};
void add_study(Verb& verb, StudyArgs& args);

/// The part of them every verb that computes takes: models, contexts, prices, formats, speculation.
void add_what_ifs(Verb& verb, StudyArgs& args);

/// The pieces of load_study(), for verbs that describe hardware in their own way. All throw
/// UsageError.
[[nodiscard]] std::vector<ModelSpec> models_of(
    const StudyArgs& args);  // with the formats asked for
[[nodiscard]] std::vector<std::int64_t> contexts_of(const StudyArgs& args);
[[nodiscard]] Speculation speculation_of(const StudyArgs& args);
/// Every price must name one of the chips.
void apply_prices(const std::vector<HardwareSpec*>& chips, const std::vector<std::string>& prices);
/// "What if: KV in int4; price h800=1.6.", or nothing.
[[nodiscard]] std::string what_ifs(const StudyArgs& args, const Speculation& speculation);

/// Everything loaded, checked and compiled.
struct Study {
  std::vector<ModelSpec> models;    // with the formats asked for
  std::vector<DecodeTerms> terms;   // of each model
  std::vector<HardwareSpec> chips;  // with the prices asked for
  std::vector<std::int64_t> contexts;
  Convention convention = Convention::paper;
  Speculation speculation;
  std::vector<std::string> notes;  // fidelity, convention, fallbacks, estimates, what-ifs
};

/// Throws InputError or UsageError.
[[nodiscard]] Study load_study(const StudyArgs& args);

/// Where a chip's price comes from, as CSV shows it: published, estimate or given (--price).
[[nodiscard]] std::string price_origin(const HardwareSpec& chip);

}  // namespace afford::cli
