#pragma once
// Where an answer goes and how: --format, -o, --plot, and what is said beside it.

#include <memory>
#include <string>

#include "cli/verb.hpp"
#include "load/library.hpp"
#include "report/output_file.hpp"
#include "report/table.hpp"

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
/// The same of a table that is text already, where it goes to a file or stream.
void emit_at_last(const std::string& text, const OutputArgs& args);

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

}  // namespace afford::cli
