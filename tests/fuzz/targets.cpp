#include "fuzz/targets.hpp"

#include <algorithm>
#include <cmath>

#include "calibration/calibration_file.hpp"
#include "calibration/chip_timing.hpp"
#include "calibration/fit.hpp"
#include "calibration/points_csv.hpp"
#include "count/cache.hpp"
#include "count/decode.hpp"
#include "count/modules.hpp"
#include "count/params.hpp"
#include "fuzz/checkpoint.hpp"
#include "fuzz/support.hpp"
#include "import/import.hpp"
#include "layer/experts.hpp"
#include "load/library.hpp"
#include "load/readers.hpp"
#include "plan/workload.hpp"
#include "text/csv.hpp"
#include "text/date.hpp"
#include "text/escape.hpp"
#include "text/number.hpp"
#include "text/quantity.hpp"
#include "text/utf8.hpp"
#include "traffic/trace.hpp"
#include "yaml/document.hpp"

namespace afford::fuzz {
namespace {

void count(const ModelSpec& model) {
  const double context = 8192;
  const DecodeCount counts = count_at(decode_terms(model, Convention::exact, {}), context);
  require(std::isfinite(total_params(model)) && total_params(model) > 0,
          "parameters are not a number");
  require(active_params(model) <= total_params(model) * (1 + 1e-9),
          "more active parameters than there are");
  require(std::isfinite(counts.kv.base()) && counts.kv.base() >= 0, "bytes are not a number");
  require(std::isfinite(cache_size(model, context).context.base()), "cache is not a number");
  require(!count_modules(model, Convention::paper, context).empty(), "no modules");
}

void model(std::string_view text) {
  allow_errors([&] { count(read_model(yaml::parse(text, "fuzz.yaml"), "fuzz.yaml")); });
}

void hardware(std::string_view text) {
  allow_errors([&] { (void)read_hardware(yaml::parse(text, "fuzz.yaml"), "fuzz.yaml"); });
}

void calibration(std::string_view text) {
  allow_errors([&] { (void)read_calibration(yaml::parse(text, "fuzz.yaml"), "fuzz.yaml"); });
}

/// What import writes must load and count.
void import_config(std::string_view text) {
  for (const bool paper : {false, true}) {
    std::string yaml;
    allow_errors([&] {
      const config::ImportOptions options{
          .name = "fuzz", .date = "2025-11", .paper_precision = paper};
      yaml = config::import_config(json::parse(text, "fuzz.json"), options).yaml;
    });
    if (!yaml.empty()) count(read_model(yaml::parse(yaml, "imported.yaml"), "imported.yaml"));
  }
}

void points(std::string_view text) {
  allow_errors([&] { (void)parse_points(text, "fuzz.csv"); });
}

/// Rows and fields as they were written, and read back from how they are written again.
void csv(std::string_view text) {
  allow_errors([&] {
    CsvReader reader("fuzz.csv", std::string(text));
    while (const auto row = reader.next()) {
      require(!row->fields.empty() && row->line >= 1, "a row without fields or place");
      for (const CsvField& field : row->fields) {
        CsvReader again("again.csv", "x," + csv_text(field.text) + "\n");
        const auto copy = again.next();
        require(copy && copy->fields.size() == 2, "a field that became two");
        const std::string& back = copy->fields[1].text;
        require(back == field.text || back == "'" + field.text, "a field that changed");
      }
    }
  });
}

void workload(std::string_view text) {
  // No trace is read from the disk of who fuzzes.
  if (text.find("trace") != std::string_view::npos) return;
  allow_errors([&] {
    const Workload read = read_workload(yaml::parse(text, "fuzz.yaml"), "fuzz.yaml");
    require(std::isfinite(peak_rate(read.traffic)) && peak_rate(read.traffic) > 0, "no rate");
    require(std::isfinite(off_peak_rate(read.traffic)), "no rate off the peak");
    require(read.traffic.mix.context >= 0 && std::isfinite(read.traffic.mix.context), "no context");
    require(read.traffic.mix.context_variance >= 0, "a negative variance");
  });
}

void trace(std::string_view text) {
  const File file(text);
  allow_errors([&] {
    TraceReader reader(file.path());
    MixOfTrace mix;
    while (const std::optional<Request> request = reader.next()) mix.add(*request);
    require(std::isfinite(mix.mix().context), "no context");
  });
}

void expert_load(std::string_view text) {
  constexpr std::int64_t experts = 8, active = 2;
  const File file(text);
  allow_errors([&] {
    const Routing routing = read_routing(file.path(), experts, active);
    const ExpertLayout layout{.experts = experts, .active = active, .groups = 4, .redundant = 3};
    double sum = 0;
    for (const auto& group : place_experts(layout, routing)) {
      for (const double share : group) sum += share;
    }
    require(std::abs(sum - 1) < 1e-9, "assignments were lost");
  });
}

/// Numbers and units, each from a text of its own.
void numbers(std::string_view text) {
  std::string why;
  if (const auto value = parse_real(text)) require(std::isfinite(*value), "not a number");
  (void)parse_integer(text);
  if (const auto tokens = parse_token_count(text)) require(*tokens >= 1, "no tokens");
  allow_errors([&] { require(!parse_token_counts(text).empty(), "an empty range"); });
  const auto check = [&](const auto& quantity) {
    if (quantity)
      require(std::isfinite(quantity->base()) && quantity->base() >= 0, "no quantity");
    else
      require(!why.empty(), "refused without a word");
    if (quantity) require(human(*quantity).size() < 40, "a number of many digits");
  };
  check(parse_quantity<Dimension{.time = 1}>(text, why));
  check(parse_quantity<Dimension{.byte = 1}>(text, why));
  check(parse_quantity<Dimension{.time = -1, .byte = 1}>(text, why));
  check(parse_quantity<Dimension{.time = -1, .flop = 1}>(text, why));
  check(parse_quantity<Dimension{.time = -1, .usd = 1}>(text, why));
  check(parse_quantity<Dimension{.time = -1, .joule = 1}>(text, why));
  (void)is_date(text);
}

/// Whatever comes in, nothing that moves a cursor, closes a tag or ends a cell goes out.
void escapes(std::string_view text) {
  const std::string line = escaped(text);
  allow_errors([&] { require_text(line, "line"); });
  require(!first_control(line).has_value(), "a control character went through");
  require(message_line(text).size() < 1000, "a message that is too long");
  require(html_text(text).find_first_of("<>\"'") == std::string::npos, "markup went through");
  const std::string cell = markdown_text(text);
  for (size_t i = 0; i < cell.size(); ++i) {
    if (cell[i] == '\\') {
      ++i;
      continue;
    }
    require(std::string_view("|<>`[]").find(cell[i]) == std::string_view::npos,
            "Markdown went through");
  }
}

void document(std::string_view text) {
  allow_errors([&] { (void)yaml::parse(text, "fuzz.yaml"); });
}

void json_document(std::string_view text) {
  allow_errors([&] { (void)json::parse(text, "fuzz.json"); });
}

constexpr Target all[] = {{"calibration", calibration},
                          {"checkpoint", read_checkpoint_headers},
                          {"csv", csv},
                          {"escapes", escapes},
                          {"expert-load", expert_load},
                          {"hardware", hardware},
                          {"import", import_config},
                          {"json", json_document},
                          {"model", model},
                          {"numbers", numbers},
                          {"points", points},
                          {"trace", trace},
                          {"workload", workload},
                          {"yaml", document}};

}  // namespace

std::span<const Target> targets() {
  static const std::vector<Target> both = [] {
    std::vector<Target> list(std::begin(all), std::end(all));
    const std::span<const Target> more = study_targets();
    list.insert(list.end(), more.begin(), more.end());
    return list;
  }();
  return both;
}

const Target* find(std::string_view name) {
  for (const Target& target : targets()) {
    if (target.name == name) return &target;
  }
  return nullptr;
}

}  // namespace afford::fuzz
