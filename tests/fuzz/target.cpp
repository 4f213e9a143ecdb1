// What a fuzzer may throw at the readers: anything. A text that starts like JSON goes through
// import, any other through the readers of YAML and of points. Every input ends in a spec or in an
// error of ours; what import writes must load and count.
#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "calibration/calibration_file.hpp"
#include "calibration/points_csv.hpp"
#include "count/cache.hpp"
#include "count/decode.hpp"
#include "count/modules.hpp"
#include "count/params.hpp"
#include "error.hpp"
#include "fuzz/checkpoint.hpp"
#include "import/import.hpp"
#include "load/readers.hpp"
#include "spec/hardware.hpp"
#include "spec/model.hpp"

using namespace afford;

namespace {

void require(bool condition, const char* what) {
  if (condition) return;
  fmt::print(stderr, "fuzz: {}\n", what);
  std::abort();
}

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

void try_import(std::string_view text, bool paper) {
  std::string yaml;
  try {
    config::ImportOptions options{.name = "fuzz", .date = "2025-11", .paper_precision = paper};
    yaml = config::import_config(json::parse(text, "fuzz.json"), options).yaml;
  } catch (const InputError&) {
    return;
  } catch (const UsageError&) {
    return;
  }
  count(read_model(yaml::parse(yaml, "imported.yaml"), "imported.yaml"));  // must not throw
}

template <class Read>
void try_yaml(std::string_view text, Read read) {
  try {
    read(yaml::parse(text, "fuzz.yaml"), "fuzz.yaml");
  } catch (const InputError&) {
  }
}

void try_points(std::string_view text) {
  try {
    (void)parse_points(text, "fuzz.csv");
  } catch (const InputError&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  fuzz::read_checkpoint_headers(text);
  const size_t start = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  if (start != std::string_view::npos && (text[start] == '{' || text[start] == '[')) {
    try_import(text, false);
    try_import(text, true);
  } else {
    try_yaml(text, [](const yaml::Node& root, const char* file) { count(read_model(root, file)); });
    try_yaml(text,
             [](const yaml::Node& root, const char* file) { (void)read_hardware(root, file); });
    try_yaml(text,
             [](const yaml::Node& root, const char* file) { (void)read_calibration(root, file); });
    try_points(text);
  }
  return 0;
}
