#include "records/fit.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "records/notes.hpp"
#include "text/number.hpp"
#include "text/quantity.hpp"

namespace afford {
namespace {

using study::Fit;
using study::PoolFit;

/// A pool of a fit.
struct Row {
  const Fit& fit;
  const PoolFit& pool;
};

Cell gb(Bytes bytes) { return bytes / GB; }

const Record<Row>& row_record() {
  static const Record<Row> record = {
      {{"model", "model"}, [](const Row& r) { return r.fit.model; }},
      {{"deployment", "deployment"}, [](const Row& r) { return r.fit.label; }},
      {{"pool", "pool"}, [](const Row& r) { return r.pool.pool; }},
      {{"part", "part", Show::text, in_files_only}, [](const Row& r) { return r.pool.name; }},
      {{"context_tokens", "context", Show::tokens},
       [](const Row& r) { return static_cast<std::int64_t>(r.fit.context); }},
      {{"gpus", "GPUs", Show::plain}, [](const Row& r) { return r.fit.gpus; }},
      {{"requests", "requests", Show::plain}, [](const Row& r) { return r.fit.requests; }},
      {{"kv_tokens", "KV tokens", Show::plain},
       [](const Row& r) { return static_cast<std::int64_t>(std::floor(r.fit.tokens)); }},
      {{"kv_bytes_per_token", "B/token", Show::plain},
       [](const Row& r) { return r.fit.cache_of_token.base(); }},
      {{"weights_gb", "weights GB", Show::plain},
       [](const Row& r) { return gb(r.pool.use.weights); }},
      {{"cache_gb", "cache GB", Show::plain}, [](const Row& r) { return gb(r.pool.use.cache); }},
      {{"buffers_gb", "buffers GB", Show::plain},
       [](const Row& r) { return gb(r.pool.use.buffers); }},
      {{"kept_back_gb", "kept back GB", Show::plain},
       [](const Row& r) { return gb(r.pool.kept_back()); }},
      {{"memory_gb", "GB", Show::plain}, [](const Row& r) { return gb(r.pool.use.whole); }},
      {{"holds", "holds"}, [](const Row& r) { return yes_or_no(r.fit.holds); }},
      {{"reason", "reason"}, [](const Row& r) { return r.fit.reason; }},
      {{"engine", "engine", Show::text, in_files_only}, [](const Row& r) { return r.fit.engine; }}};
  return record;
}

/// A part of an accelerator's memory, and the letter that draws it.
struct Part {
  char letter;
  const char* name;
  Bytes bytes;
};

/// The parts one after another, each from where it starts to where it ends on a line of `width`.
std::string bar(const std::array<Part, 4>& parts, Bytes whole) {
  constexpr int width = 60;
  std::string line;
  Bytes end;
  for (const Part& part : parts) {
    end += part.bytes;
    const auto column = static_cast<size_t>(std::lround(width * std::min(1.0, end / whole)));
    line.resize(std::max(line.size(), column), part.letter);
  }
  line.resize(width, ' ');
  return line;
}

std::string bar_of(const Fit& fit, const PoolFit& pool) {
  const std::array<Part, 4> parts = {{{'W', "weights", pool.use.weights},
                                      {'C', "cache", pool.use.cache},
                                      {'b', "buffers", pool.use.buffers},
                                      {'-', "kept back", pool.kept_back()}}};
  const Bytes whole = pool.use.whole;
  std::string text =
      fmt::format("\n{} at {}, {} {}: {} on the fullest accelerator\n  [{}]\n ", fit.model,
                  token_count_text(static_cast<std::int64_t>(fit.context)), pool.pool, fit.label,
                  human(whole), bar(parts, whole));
  Bytes sum;
  for (const Part& part : parts) {
    text += fmt::format(" {} {} {} ", part.letter, part.name, human(part.bytes));
    sum += part.bytes;
  }
  if (sum > whole) text += fmt::format(" {} too many", human(sum - whole));
  while (text.ends_with(' ')) text.pop_back();
  return text + "\n";
}

}  // namespace

Table table_of(const study::Fits& fits) {
  Table table{.title = "What fits", .columns = columns_of(row_record()), .rows = {}, .notes = {}};
  for (const Fit& fit : fits.rows) {
    for (const PoolFit& pool : fit.pools)
      table.rows.push_back(row_of(row_record(), Row{fit, pool}));
  }
  return table;
}

std::string memory_bars(const study::Fits& fits) {
  std::string text;
  for (const Fit& fit : fits.rows) {
    for (const PoolFit& pool : fit.pools) text += bar_of(fit, pool);
  }
  return text;
}

namespace {

std::string engines_text(const study::Fits& fits, const study::FitRequest& request) {
  std::vector<std::string> names;
  for (const Fit& fit : fits.rows) {
    if (std::find(names.begin(), names.end(), fit.engine) == names.end())
      names.push_back(fit.engine);
  }
  return fmt::format("Formats and memory as under {}{}.", fmt::join(names, ", "),
                     request.engine.empty() ? ", assumed; --engine NAME takes another" : "");
}

}  // namespace

std::vector<std::string> notes_on(const study::Fits& fits, const study::FitRequest& request) {
  std::vector<std::string> notes;
  if (!request.afd && !request.colocated) {
    notes.push_back(fmt::format(
        "The smallest cluster of each chip, up to {} accelerators, that holds {} request{} at each "
        "context, in the layout that holds most.",
        request.max_gpus, request.requests, request.requests == 1 ? "" : "s"));
  }
  notes.emplace_back(
      "Bytes, cache and buffers are those of one accelerator, B/token of a request there.");
  notes.push_back(engines_text(fits, request));
  if (const std::string note = what_if_note(request.what_if); !note.empty()) notes.push_back(note);
  const std::int64_t longest = *std::max_element(request.contexts.begin(), request.contexts.end());
  for (const ModelSpec& model : fits.models) add_model_notes(notes, model, real(longest));
  return notes;
}

}  // namespace afford
