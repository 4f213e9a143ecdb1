#include "plan/workload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "error.hpp"
#include "text/csv.hpp"
#include "text/file.hpp"
#include "text/number.hpp"
#include "yaml/section.hpp"

namespace afford {
namespace {

using yaml::Section;

// One request in eleven days is a plan for nothing; a million a second more than the world asks.
constexpr double most_tokens = 1e8, least_rate = 1e-6, most_rate = 1e6;
constexpr std::int64_t most_accelerators = 1'000'000;

enum class Kind { fixed, uniform, lognormal, geometric };
constexpr std::pair<std::string_view, Kind> kinds[] = {{"fixed", Kind::fixed},
                                                       {"uniform", Kind::uniform},
                                                       {"lognormal", Kind::lognormal},
                                                       {"geometric", Kind::geometric}};

struct Lengths {
  Moments moments;
  double longest = 0;  // 0: unbounded
  std::string text;
};

Lengths read_lengths(const Section& traffic, std::string_view key) {
  const Section in = traffic.child(key, {"kind", "tokens", "least", "most", "mean", "cv"});
  const auto tokens = [&](std::string_view name) { return in.real(name, 1, most_tokens); };
  switch (in.choice("kind", kinds)) {
    case Kind::fixed: {
      const double n = tokens("tokens");
      return {fixed_length(n), n, fmt::format("{} tokens", n)};
    }
    case Kind::uniform: {
      const double least = tokens("least"), most = tokens("most");
      if (most < least) in.fail("most", fmt::format("expected at least {}, got {}", least, most));
      return {uniform_length(least, most), most, fmt::format("{} to {} tokens", least, most)};
    }
    case Kind::geometric: {
      const double mean = tokens("mean");
      return {geometric_length(mean), 0, fmt::format("geometric of mean {}", mean)};
    }
    case Kind::lognormal:
      break;
  }
  const double mean = tokens("mean"), cv = in.real("cv", 0, 20);
  const double most = in.has("most") ? tokens("most") : std::numeric_limits<double>::infinity();
  return {lognormal_length(mean, cv, most), std::isfinite(most) ? most : 0,
          fmt::format("log-normal of mean {}, cv {}", mean, cv)};
}

void read_trace_into(const Section& in, const std::string& file, Traffic& traffic) {
  for (const char* key : {"prompt", "output"}) {
    if (in.has(key)) in.fail(key, "the lengths come from 'trace'; give one or the other");
  }
  const std::filesystem::path given = in.text("trace");
  const std::filesystem::path path =
      given.is_absolute() ? given : std::filesystem::path(file).parent_path() / given;
  const std::vector<Request> requests =
      named_at(in.place("trace"), [&] { return read_trace(path.string()); });
  traffic.mix = mix_of(requests);
  for (const Request& r : requests) {
    traffic.longest_context =
        std::max(traffic.longest_context, static_cast<double>(r.prompt_tokens + r.output_tokens));
  }
  traffic.origin = fmt::format("{}, {} request{}", given.string(), requests.size(),
                               requests.size() == 1 ? "" : "s");
  if (in.has("requests_per_second")) return;
  const double span = requests.back().arrival_s - requests.front().arrival_s;
  if (!(span > 0)) {
    in.fail("trace", "its requests span no time; say requests_per_second too");
  }
  traffic.requests_per_s = static_cast<double>(requests.size() - 1) / span;
  if (traffic.requests_per_s < least_rate || traffic.requests_per_s > most_rate) {
    in.fail("trace", fmt::format("expected from {} to {} requests a second, got {:.4g}", least_rate,
                                 most_rate, traffic.requests_per_s));
  }
}

Traffic read_traffic(const Section& root, const std::string& file) {
  const Section in = root.child(
      "traffic", {"requests_per_second", "peak_factor", "peak_hours", "prompt", "output", "trace"});
  Traffic traffic;
  if (in.has("requests_per_second") || !in.has("trace"))
    traffic.requests_per_s = in.real("requests_per_second", least_rate, most_rate);
  if (in.has("peak_factor")) traffic.peak_factor = in.real("peak_factor", 1, 1000);
  if (in.has("peak_hours")) traffic.peak_hours = in.real("peak_hours", 0.01, 24);
  if (traffic.peak_factor * traffic.peak_hours > 24 && in.has("peak_hours") &&
      traffic.peak_hours < 24) {
    in.fail("peak_hours",
            fmt::format("{} hours at {} times the mean rate are more than a day's requests",
                        traffic.peak_hours, traffic.peak_factor));
  }
  if (in.has("trace")) {
    read_trace_into(in, file, traffic);
    return traffic;
  }
  const Lengths prompt = read_lengths(in, "prompt"), output = read_lengths(in, "output");
  traffic.mix = mix_of(prompt.moments, output.moments);
  if (prompt.longest > 0 && output.longest > 0)
    traffic.longest_context = prompt.longest + output.longest;
  traffic.origin = fmt::format("prompts {}, outputs {}", prompt.text, output.text);
  return traffic;
}

Target read_target(const Section& root) {
  const Section in = root.child("target", {"tpot", "percentile", "headroom", "spares"});
  Target target;
  target.tpot = in.quantity<Dimension{.time = 1}>("tpot");
  if (target.tpot <= Seconds(0)) in.fail("tpot", "expected more than zero");
  if (in.has("percentile")) target.percentile = in.real("percentile", 1, 99.999) / 100;
  if (in.has("headroom")) target.headroom = in.real("headroom", 0, 0.95);
  if (in.has("spares")) target.spares = static_cast<int>(in.integer("spares", {0, 1000}));
  return target;
}

Contract read_contract(const Section& offer, std::string_view key) {
  const Section in = offer.child(key, {"price", "limit"});
  Contract contract{.reserved = key == "reserved",
                    .price = in.quantity<Dimension{.time = -1, .usd = 1}>("price"),
                    .limit = {}};
  if (contract.price <= UsdRate(0)) in.fail("price", "expected more than zero");
  if (in.has("limit")) contract.limit = in.integer("limit", {0, most_accelerators});
  return contract;
}

std::vector<Offer> read_offers(const Section& root, const std::string& file) {
  if (!root.has("chips")) return {};
  const yaml::Node& node = root.value("chips", yaml::Node::Kind::mapping);
  std::vector<Offer> offers;
  const Section chips = root.names("chips");
  for (size_t i = 0; i < node.keys.size(); ++i) {
    Offer offer{.chip = node.keys[i].text,
                .at = {file, node.keys[i].line, node.keys[i].column},
                .limit = {},
                .contracts = {}};
    // On the command line it means every chip; a workload names what can be rented.
    if (offer.chip == "all") {
      throw InputError(offer.at,
                       "no hardware named 'all'; expected the name of a chip, such as h800");
    }
    if (node.items[i].kind != yaml::Node::Kind::empty) {
      const Section in = chips.child(offer.chip, {"limit", "reserved", "on_demand"});
      if (in.has("limit")) offer.limit = in.integer("limit", {0, most_accelerators});
      for (const char* key : {"reserved", "on_demand"}) {
        if (in.has(key)) offer.contracts.push_back(read_contract(in, key));
      }
    }
    offers.push_back(std::move(offer));
  }
  if (offers.empty()) root.fail("chips", "expected at least one chip");
  return offers;
}

double number(const CsvReader& reader, const CsvRow& row, size_t field, std::string_view name) {
  const std::string& text = row.fields[field].text;
  const auto value = parse_real(text);
  if (value && *value >= 0) return *value;
  throw InputError(reader.place(row, field),
                   fmt::format("{}: expected a number of at least 0, got '{}'", name, text));
}

std::int64_t tokens(const CsvReader& reader, const CsvRow& row, size_t field,
                    std::string_view name) {
  const std::string& text = row.fields[field].text;
  const auto value = parse_integer(text);
  if (value && *value >= 1 && *value <= static_cast<std::int64_t>(most_tokens)) return *value;
  throw InputError(
      reader.place(row, field),
      fmt::format("{}: expected a whole number of tokens, at least 1, got '{}'", name, text));
}

}  // namespace

double off_peak_rate(const Traffic& t) {
  if (t.peak_hours >= 24) return peak_rate(t);
  return std::max(0.0, (24 * t.requests_per_s - t.peak_hours * peak_rate(t)) / (24 - t.peak_hours));
}

std::vector<Request> read_trace(const std::string& file) {
  constexpr size_t most = size_t{2} << 30;
  constexpr std::string_view header = "arrival_s,prompt_tokens,output_tokens";
  CsvReader reader(file, read_whole(file, most, "a trace"));
  const auto head = reader.next();
  std::string names;
  for (size_t i = 0; head && i < head->fields.size(); ++i)
    names += (i > 0 ? "," : "") + head->fields[i].text;
  if (names != header)
    throw InputError({file, 1, 1},
                     fmt::format("expected the header '{}', got '{}'", header, names));
  std::vector<Request> requests;
  while (const auto row = reader.next()) {
    if (row->fields.size() != 3) {
      throw InputError({file, row->line, 1},
                       fmt::format("expected 3 fields ({}), got {}", header, row->fields.size()));
    }
    const Request request{.arrival_s = number(reader, *row, 0, "arrival_s"),
                          .prompt_tokens = tokens(reader, *row, 1, "prompt_tokens"),
                          .output_tokens = tokens(reader, *row, 2, "output_tokens")};
    if (!requests.empty() && request.arrival_s < requests.back().arrival_s) {
      throw InputError(reader.place(*row, 0),
                       fmt::format("arrival_s: {} is before the line above ({}); sort the trace",
                                   request.arrival_s, requests.back().arrival_s));
    }
    requests.push_back(request);
  }
  if (requests.empty()) throw InputError({file, 2, 1}, "expected at least one request");
  return requests;
}

Workload read_workload(const yaml::Node& node, const std::string& file) {
  const Section root = Section::root(file, node, "workload",
                                     {"schema", "name", "model", "traffic", "target", "chips"});
  (void)root.integer("schema", {1, 1});
  Workload workload{.name = root.name("name"),
                    .file = file,
                    .model = {},
                    .model_at = {},
                    .traffic = {},
                    .target = {},
                    .offers = {}};
  if (root.has("model")) {
    workload.model = root.text("model");
    workload.model_at = root.place("model");
  }
  workload.traffic = read_traffic(root, file);
  workload.target = read_target(root);
  workload.offers = read_offers(root, file);
  return workload;
}

}  // namespace afford
