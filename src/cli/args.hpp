#pragma once
// Flags the verbs share, and how they become a study: models, chips, contexts and what-ifs.

#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "cli/verb.hpp"
#include "report/output_file.hpp"
#include "report/table.hpp"
#include "study/ideal.hpp"

namespace afford::cli {

struct OutputArgs {
  std::string format = "table", file;
  std::shared_ptr<OutputFile> to;  // opened before the verb runs; none where the host takes tables
  const Host* host = nullptr;
};
void add_output(Verb& verb, OutputArgs& args);
/// --format alone, of a table that accompanies what -o names.
void add_format(Verb& verb, OutputArgs& args);

/// Throws UsageError for an unknown format.
[[nodiscard]] Format format_of(const OutputArgs& args);

/// The rendered table to -o or stdout; `after` (explanations) follows it.
void emit(const Table& table, const OutputArgs& args, const std::string& after = "");

/// emit() of what took long: where the file cannot be written in the end, it goes to stdout before
/// the error is thrown.
void emit_at_last(const Table& table, const OutputArgs& args, const std::string& after = "");

/// --plot, whose gnuplot and folder are looked for before the verb runs.
void add_plot(Verb& verb, std::string& file, const char* help);

/// Whether a format is read by people, who also see notes and explanations in it.
[[nodiscard]] constexpr bool for_people(Format format) {
  return format == Format::table || format == Format::md;
}

/// Says on standard error what could not be read of what nobody named; the exit code of a verb that
/// went on without it, `code` where there is nothing to say.
[[nodiscard]] int say_left_out(const OutputArgs& args, const LeftOut& left_out, int code);

/// The notes of a table that is written for programs, to standard error.
void print_notes(const OutputArgs& args, const Table& table);

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
