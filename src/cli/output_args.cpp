#include "cli/output_args.hpp"

#include "cli/choose.hpp"
#include "cli/streams.hpp"
#include "error.hpp"
#include "report/gnuplot.hpp"
#include "text/escape.hpp"

namespace afford::cli {

void add_output(Verb& verb, OutputArgs& args) {
  add_format(verb, args);
  verb.written("-o,--output", args.file,
               "Write to FILE instead of stdout; it appears whole or not at all", "FILE");
}

void add_format(Verb& verb, OutputArgs& args) {
  verb.text("--format", args.format, "table, csv, json or md", "FORMAT");
  args.host = &verb.host();
  verb.before([&args](const Verb& parsed) {
    if (args.host->writes(args.file)) args.to = std::make_shared<OutputFile>(args.file);
    if (!args.host->table || parsed.given("--format")) return;
    args.format = parsed.given("--explain") || parsed.given("--timeline") ? "table" : "json";
  });
}

Format format_of(const OutputArgs& args) { return choose(format_names, args.format, "--format"); }

void emit(const Table& table, const OutputArgs& args, const std::string& after) {
  if (args.to == nullptr) {
    args.host->table(table);
    return print(*args.host, after);
  }
  args.to->write(render(table, format_of(args)) + after);
  args.to->finish();
}

void emit_at_last(const Table& table, const OutputArgs& args, const std::string& after) {
  if (args.to == nullptr) return emit(table, args, after);
  emit_at_last(render(table, format_of(args)) + after, args);
}

void emit_at_last(const std::string& text, const OutputArgs& args) {
  try {
    args.to->write(text);
    args.to->finish();
  } catch (const UsageError&) {
    // The disk ran full in the meantime, say: what took long is shown all the same.
    if (!args.file.empty()) print(*args.host, text);
    throw;
  }
}

void add_plot(Verb& verb, std::string& file, const char* help) {
  verb.written("--plot", file, help, "FILE");
  verb.before([&file](const Verb&) {
    if (!file.empty()) check_picture(file);
  });
}

void print_notes(const OutputArgs& args, const Table& table) {
  for (const std::string& note : table.notes) say(*args.host, escaped(note) + "\n");
}

int say_left_out(const OutputArgs& args, const LeftOut& left_out, int code) {
  for (const std::string& message : left_out) say(*args.host, message + "; left out\n");
  return left_out.empty() ? code : exit_bad_input;
}

}  // namespace afford::cli
