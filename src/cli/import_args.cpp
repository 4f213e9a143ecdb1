#include "cli/import_args.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <sstream>

#include "cli/choose.hpp"
#include "text/date.hpp"
#include "text/number.hpp"
#include "text/suggest.hpp"

namespace afford::cli {
namespace {

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

/// "230B", or "3.3B cut" where the publisher cuts instead of rounding.
struct PrintedCount {
  std::string digits;       // "3.3"
  int power = 0, last = 0;  // of ten: of the unit, and of the last digit
  bool cut = false;

  [[nodiscard]] double value() const { return *parse_real(digits) * std::pow(10, power); }
  /// What the digits leave open.
  [[nodiscard]] double rounding() const { return std::pow(10, last) * (cut ? 1 : 0.5); }
};

PrintedCount printed_count(std::string text, std::string_view flag) {
  constexpr std::string_view cut_mark = " cut";
  const bool cut = text.ends_with(cut_mark);
  if (cut && text.size() > cut_mark.size()) text.resize(text.size() - cut_mark.size());
  constexpr std::string_view units = "MBT";
  const size_t unit = units.find(text.back());
  const std::string_view digits_of = std::string_view(text).substr(0, text.size() - 1);
  const auto number = parse_real(digits_of);
  const bool plain = digits_of.find_first_not_of("0123456789.") == std::string_view::npos;
  if (unit == std::string_view::npos || !plain || !number || *number <= 0) {
    throw UsageError(
        fmt::format("{}: expected a count such as 671B or 1.04T, got '{}'", flag, text));
  }
  const size_t point = text.find('.');
  const int places = point == std::string::npos ? 0 : static_cast<int>(text.size() - point) - 2;
  const int power = 6 + 3 * static_cast<int>(unit);
  return {.digits = std::string(digits_of), .power = power, .last = power - places, .cut = cut};
}

/// With the parts that it counts, "embedding lm_head".
config::Published published(const PrintedCount& count, std::string counts) {
  if (const size_t space = counts.find(' '); space != std::string::npos) counts.insert(space, ",");
  return {fmt::format("value: {}e{}, printed_to: 1e{}{}", count.digits, count.power, count.last,
                      count.cut ? ", cut: true" : ""),
          std::move(counts)};
}

void add_published(config::ImportOptions& options, const ImportArgs& args) {
  if (args.total.empty()) return;
  const PrintedCount total = printed_count(args.total, "--total");
  const PrintedCount active = printed_count(args.active, "--active");
  if (active.value() > total.value() + total.rounding())
    throw UsageError(fmt::format("--active: expected at most the {} of --total, got {}", args.total,
                                 args.active));
  options.total = published(total, args.total_counts);
  options.active = published(active, args.active_counts);
}

void check_date(const std::string& date, std::string_view flag) {
  if (date.empty() || is_date(date)) return;
  throw UsageError(
      fmt::format("{}: expected a date such as 2025, 2025-07 or 2025-07-25, got '{}'", flag, date));
}

void check_counts(const std::string& counts, std::string_view flag) {
  constexpr std::array<std::string_view, 2> parts = {"embedding", "lm_head"};
  std::istringstream words(counts);
  for (std::string word; words >> word;) {
    if (std::find(parts.begin(), parts.end(), word) == parts.end())
      throw UsageError(fmt::format("{}: unknown part '{}'{}", flag, word, suggestion(word, parts)));
  }
}

}  // namespace

config::ImportOptions import_options(const ImportArgs& args, const std::string& file) {
  constexpr std::pair<std::string_view, bool> precisions[] = {{"config", false}, {"paper", true}};
  if (args.total.empty() != args.active.empty() ||
      args.total.empty() != args.published_source.empty()) {
    throw UsageError("--total, --active and --published-source go together");
  }
  check_date(args.date, "--date");
  check_date(args.published_date, "--published-date");
  check_counts(args.total_counts, "--total-counts");
  check_counts(args.active_counts, "--active-counts");
  config::ImportOptions options{
      .name = args.name,
      .title = args.title,
      .source = args.source,
      .date = args.date,
      .paper_precision = choose(precisions, args.precision, "--precision"),
      .assumptions = assumptions_of(args.assumptions),
      .published_source = args.published_source,
      .published_date = args.published_date,
      .total = {},
      .active = {},
      .command = fmt::format("afford import {}{}", std::filesystem::path(file).filename().string(),
                             args.precision == "paper" ? " --precision paper" : "")};
  add_published(options, args);
  return options;
}

void add_import(Verb& verb, ImportArgs& args) {
  verb.required(
      "config", args.files,
      "config.json, its folder, org/name in the Hugging Face cache, a GGUF file, or -; afford "
      "list families tells which are known");
  verb.written(
      "-o,--output", args.output,
      "Write to FILE instead of stdout, or to a folder from several checkpoints; it appears "
      "whole or not at all",
      "FILE");
  verb.text("--name", args.name, "The model's name; by default that of the file, or of its folder",
            "NAME");
  verb.text("--title", args.title, "The model's title", "TEXT");
  verb.texts("--assume", args.assumptions,
             "Answer for a key: KEY=VALUE, or KEY=ignore to count without it", "KEY=VALUE,..");
  verb.text("--precision", args.precision,
            "config: formats of quantization_config, else BF16; paper: those of the Step-3 report",
            "NAME");
  verb.text("-c,--context", args.context, "Context in tokens of the report", "TOKENS");
  verb.text("--source", args.source, "Where the config comes from, for the file's sources", "TEXT");
  verb.text("--date", args.date, "Date of that source; by default today", "DATE");
  verb.text("--total", args.total, "Published count of all parameters, such as 671B", "COUNT");
  verb.text("--active", args.active, "Published count of active parameters", "COUNT");
  verb.text("--total-counts", args.total_counts, "Which of embedding and lm_head --total counts",
            "PARTS");
  verb.text("--active-counts", args.active_counts, "Which of embedding and lm_head --active counts",
            "PARTS");
  verb.text("--published-source", args.published_source, "Where the counts are published", "TEXT");
  verb.text("--published-date", args.published_date, "Date of that source", "DATE");
  verb.before([](const Verb& parsed) {
    for (const auto& [flag, needed] : {std::pair("--total-counts", "--total"),
                                       {"--active-counts", "--active"},
                                       {"--published-date", "--published-source"}}) {
      if (parsed.given(flag) && !parsed.given(needed))
        throw UsageError(fmt::format("{} needs {}", flag, needed));
    }
  });
}

}  // namespace afford::cli
