#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "cli/args.hpp"
#include "cli/choose.hpp"
#include "cli/commands.hpp"
#include "count/cache.hpp"
#include "count/decode.hpp"
#include "count/ffn.hpp"
#include "count/params.hpp"
#include "import/import.hpp"
#include "load/readers.hpp"
#include "report/output_file.hpp"
#include "text/number.hpp"
#include "text/quantity.hpp"

namespace afford::cli {
namespace {

struct ImportArgs {
  std::string file, output, name, title, source, date, precision = "config", context = "8k";
  std::string total, active, total_counts = "embedding lm_head",
                             active_counts = "embedding lm_head";
  std::string published_source, published_date;
  std::vector<std::string> assumptions;
};

config::Assumptions assumptions_of(const std::vector<std::string>& texts) {
  config::Assumptions result;
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos) {
      throw UsageError(
          fmt::format("--assume: expected KEY=VALUE such as head_dim=128, got '{}'", text));
    }
    result[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return result;
}

/// "230B", counting "embedding lm_head": its value and the worth of its last digit; "3.3B cut"
/// where the publisher cuts instead of rounding.
std::optional<config::Published> published(std::string text, const std::string& counts,
                                           std::string_view flag) {
  if (text.empty()) return std::nullopt;
  constexpr std::string_view cut_mark = " cut";
  const bool cut = text.ends_with(cut_mark);
  if (cut && text.size() > cut_mark.size()) text.resize(text.size() - cut_mark.size());
  constexpr std::string_view units = "MBT";
  const size_t unit = units.find(text.back());
  const auto number = parse_real(std::string_view(text).substr(0, text.size() - 1));
  if (unit == std::string_view::npos || !number || *number <= 0) {
    throw UsageError(
        fmt::format("{}: expected a count such as 671B or 1.04T, got '{}'", flag, text));
  }
  const size_t point = text.find('.');
  const int digits = point == std::string::npos ? 0 : static_cast<int>(text.size() - point) - 2;
  std::string list = counts;
  if (const size_t space = list.find(' '); space != std::string::npos) list.insert(space, ",");
  const int power = 6 + 3 * static_cast<int>(unit);
  return config::Published{fmt::format("value: {}e{}, printed_to: 1e{}{}",
                                       std::string_view(text).substr(0, text.size() - 1), power,
                                       power - digits, cut ? ", cut: true" : ""),
                           list};
}

config::ImportOptions options_of(const ImportArgs& args) {
  constexpr std::pair<std::string_view, bool> precisions[] = {{"config", false}, {"paper", true}};
  if (args.total.empty() != args.active.empty() ||
      args.total.empty() != args.published_source.empty()) {
    throw UsageError("--total, --active and --published-source go together");
  }
  return {.name = args.name,
          .title = args.title,
          .source = args.source,
          .date = args.date,
          .paper_precision = choose(precisions, args.precision, "--precision"),
          .assumptions = assumptions_of(args.assumptions),
          .published_source = args.published_source,
          .published_date = args.published_date,
          .total = published(args.total, args.total_counts, "--total"),
          .active = published(args.active, args.active_counts, "--active"),
          .command = fmt::format("afford import {}{}",
                                 std::filesystem::path(args.file).filename().string(),
                                 args.precision == "paper" ? " --precision paper" : "")};
}

std::string keys_text(const std::vector<config::KeyNote>& notes, config::KeyNote::Kind kind,
                      bool values) {
  std::string text;
  for (const config::KeyNote& note : notes) {
    if (note.kind != kind) continue;
    text += (text.empty() ? "" : ", ") + note.key;
    if (values) text += " = " + note.value;
    if (!note.why.empty() && note.why != "--assume") text += " (" + note.why + ")";
  }
  return text;
}

/// What was counted, and out of which keys.
std::string report(const ModelSpec& model, const std::vector<config::KeyNote>& notes,
                   std::int64_t context) {
  using Kind = config::KeyNote::Kind;
  const double tokens = static_cast<double>(context);
  const DecodeTerms terms = decode_terms(model, Convention::exact, {});
  const CacheSize cache = cache_size(model, tokens);
  std::string out =
      fmt::format("{}: {} layers, {} parameters, {} active a token ({} without the embedding)\n",
                  model.name, layer_count(model), shown(Cell(total_params(model)), Show::params),
                  shown(Cell(active_params(model)), Show::params),
                  shown(Cell(active_params(model, {.embedding = false})), Show::params));
  for (const LayerKind& kind : model.layer_kinds) {
    out += fmt::format("  {} layers of {}; {}\n", kind.layers,
                       describe(model.attentions[kind.attention].shape),
                       describe(model.ffns[kind.ffn].shape));
  }
  out += fmt::format(
      "  a sequence of {} tokens keeps {} of KV, {:.5g} bytes a token, and {} of state\n",
      token_count_text(context), human(cache.context), (cache.context / tokens).base(),
      human(cache.recurrent));
  out += fmt::format(
      "  a decoded token there moves {:.4g} bytes of KV and state; attention {:.4g} FLOP/B\n",
      count_at(terms, tokens).kv.base(), attention_intensity(terms, tokens).base());
  const Precision& p = model.precision;
  out += fmt::format("  formats: attention weights {}, FFN weights {}, KV {}\n",
                     name_of(p.attention_weights), name_of(p.ffn_weights), name_of(p.kv));
  const std::pair<std::string_view, Kind> groups[] = {{"used", Kind::used},
                                                      {"defaulted", Kind::defaulted},
                                                      {"assumed", Kind::assumed},
                                                      {"without effect", Kind::ignored},
                                                      {"not understood", Kind::not_understood}};
  for (const auto& [heading, kind] : groups) {
    const std::string keys = keys_text(notes, kind, kind != Kind::ignored);
    if (!keys.empty()) out += fmt::format("  {}: {}\n", heading, keys);
  }
  return out;
}

int run(const ImportArgs& args) {
  const std::vector<std::int64_t> contexts = parse_token_counts(args.context);
  if (contexts.size() != 1) throw UsageError("-c: import takes one context");
  const config::Imported imported =
      config::import_config(json::parse_file(args.file), options_of(args));
  const std::string shown_file = args.output.empty() ? "<imported>" : args.output;
  const ModelSpec model = read_model(yaml::parse(imported.yaml, shown_file), shown_file);
  if (!args.output.empty()) {
    write_whole(args.output, imported.yaml);
  } else if (std::fwrite(imported.yaml.data(), 1, imported.yaml.size(), stdout) !=
                 imported.yaml.size() ||
             std::fflush(stdout) != 0) {
    throw UsageError("cannot write to standard output");
  }
  fmt::print(stderr, "{}", report(model, imported.notes, contexts.front()));
  return exit_done;
}

}  // namespace

Verb import_command(CLI::App& app) {
  auto args = std::make_shared<ImportArgs>();
  Verb verb(app, "import", "A model file from a published Hugging Face config.json");
  verb.required("config", args->file, "The config.json");
  verb.text("-o,--output", args->output,
            "Write to FILE instead of stdout; it appears whole or not at all", "FILE");
  verb.text("--name", args->name, "The model's name; by default that of the file, or of its folder",
            "NAME");
  verb.text("--title", args->title, "The model's title", "TEXT");
  verb.texts("--assume", args->assumptions,
             "Answer for a key: KEY=VALUE, or KEY=ignore to count without it", "KEY=VALUE,..");
  verb.text("--precision", args->precision,
            "config: formats of quantization_config, else BF16; paper: those of the Step-3 report",
            "NAME");
  verb.text("-c,--context", args->context, "Context in tokens of the report", "TOKENS");
  verb.text("--source", args->source, "Where the config comes from, for the file's sources",
            "TEXT");
  verb.text("--date", args->date, "Date of that source; by default today", "DATE");
  verb.text("--total", args->total, "Published count of all parameters, such as 671B", "COUNT");
  verb.text("--active", args->active, "Published count of active parameters", "COUNT");
  verb.text("--total-counts", args->total_counts, "Which of embedding and lm_head --total counts",
            "PARTS");
  verb.text("--active-counts", args->active_counts,
            "Which of embedding and lm_head --active counts", "PARTS");
  verb.text("--published-source", args->published_source, "Where the counts are published", "TEXT");
  verb.text("--published-date", args->published_date, "Date of that source", "DATE");
  verb.run = [args] { return run(*args); };
  return verb;
}

}  // namespace afford::cli
