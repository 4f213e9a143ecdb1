#pragma once
// Flags the verbs share, and how they become a study: models, chips, contexts and what-ifs.

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "cli/output_args.hpp"
#include "cli/verb.hpp"
#include "report/table.hpp"
#include "study/ideal.hpp"

namespace afford::cli {

/// Throws UsageError for an edit without which the same table comes out. `without` computes it with
/// the edits it is given.
void require_effect(const Edits& edits, const Table& with,
                    const std::function<Table(const Edits&)>& without);

struct StudyArgs {
  std::vector<std::string> models{"all"}, hardware{"h800", "h20", "a800", "910b"},
      contexts{"8k", "32k"};
  std::vector<std::string> prices, owned;
  std::string electricity;
  double pue = 1;
  std::vector<std::string> edits;  // "h800.memory.bandwidth=4 TB/s"
  std::string attention_dtype, kv_dtype, weight_dtype, convention = "paper";
  int drafts = 0;
  double acceptance = std::numeric_limits<double>::quiet_NaN();  // not given
  std::vector<std::string> sweeps;  // of the verbs that have them: "tpot=20..100*2ms"
  std::string plot;
  bool explain = false;
  OutputArgs output;
};
/// Whether a verb's answer has money in it.
enum class Prices { used, unused };
void add_study(Verb& verb, StudyArgs& args, Prices prices = Prices::used);

/// For verbs whose answer has no energy in it.
void refuse_pue_without_electricity(const StudyArgs& args);

/// The part of them every verb that computes takes: models, prices, formats, speculation.
void add_what_ifs(Verb& verb, StudyArgs& args);
/// Those without prices, for what costs nothing to ask: whether something fits.
void add_shape_what_ifs(Verb& verb, StudyArgs& args);
/// -c, for the verbs whose contexts come from the command line.
void add_contexts(Verb& verb, StudyArgs& args);

/// "1.6", "1.6 USD/h": a price as --price takes it. Throws UsageError.
[[nodiscard]] UsdRate parse_rate(const std::string& text);

/// What the flags say, typed. All throw UsageError.
[[nodiscard]] study::WhatIfs what_ifs_of(const StudyArgs& args);
[[nodiscard]] std::vector<std::int64_t> contexts_of(const StudyArgs& args);
[[nodiscard]] study::IdealRequest ideal_request(const StudyArgs& args);

}  // namespace afford::cli
