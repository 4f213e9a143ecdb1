#include "plan/workload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <utility>

#include "error.hpp"
#include "plan/trace_windows.hpp"
#include "traffic/trace.hpp"
#include "yaml/section.hpp"

namespace afford {
namespace {

using yaml::Section;

// One request in eleven days is a plan for nothing; a million a second more than the world asks.
constexpr double most_tokens = 1e8, least_rate = 1e-6, most_rate = 1e6;
constexpr std::int64_t most_accelerators = 1'000'000;

constexpr std::pair<std::string_view, LengthLaw::Kind> kinds[] = {
    {"fixed", LengthLaw::Kind::fixed},
    {"uniform", LengthLaw::Kind::uniform},
    {"lognormal", LengthLaw::Kind::lognormal},
    {"geometric", LengthLaw::Kind::geometric}};

struct Lengths {
  LengthLaw law;
  Moments moments;
  double longest = 0;  // 0: unbounded
  std::string text;
};

Lengths read_lengths(const Section& traffic, std::string_view key) {
  const Section in = traffic.child(key, {"kind", "tokens", "least", "most", "mean", "cv"});
  const auto tokens = [&](std::string_view name) { return in.real(name, 1, most_tokens); };
  LengthLaw law{.kind = in.choice("kind", kinds)};
  switch (law.kind) {
    case LengthLaw::Kind::fixed:
      law.mean = tokens("tokens");
      return {law, fixed_length(law.mean), law.mean, fmt::format("{} tokens", law.mean)};
    case LengthLaw::Kind::uniform: {
      law.least = tokens("least");
      law.most = tokens("most");
      if (law.most < law.least)
        in.fail("most", fmt::format("expected at least {}, got {}", law.least, law.most));
      return {law, uniform_length(law.least, law.most), law.most,
              fmt::format("{} to {} tokens", law.least, law.most)};
    }
    case LengthLaw::Kind::geometric:
      law.mean = tokens("mean");
      return {law, geometric_length(law.mean), 0, fmt::format("geometric of mean {}", law.mean)};
    case LengthLaw::Kind::lognormal:
      break;
  }
  law.mean = tokens("mean");
  law.cv = in.real("cv", 0, 20);
  if (in.has("most")) law.most = tokens("most");
  const double most = law.most > 0 ? law.most : std::numeric_limits<double>::infinity();
  return {law, lognormal_length(law.mean, law.cv, most), law.most,
          fmt::format("log-normal of mean {}, cv {}", law.mean, law.cv)};
}

/// What a plan takes from a trace.
struct TraceFigures {
  StationaryMix mix;
  double requests = 0, span_s = 0, longest_context = 0;
  double prompt_tokens = 0, prompt_square = 0;  // means
  std::vector<double> prompt_lengths;
  TraceWindow busiest;
  std::string text;  // "1200 requests"
};

TraceFigures figures_of(const std::filesystem::path& path) {
  TraceReader reader(path);
  TraceFigures out;
  MixOfTrace mix;
  Histogram prompts;
  DensestWindow window;
  BusiestMinute minute;
  double first = 0, last = 0;
  LinePosition at = reader.position();
  while (const std::optional<Request> request = reader.next()) {
    mix.add(*request);
    last = request->arrival_s;
    if (reader.requests() == 1) first = last;
    const auto tokens = static_cast<double>(request->prompt_tokens + request->output_tokens);
    const double prompt = real(request->prompt_tokens);
    prompts.add(prompt);
    window.add(last, std::exchange(at, reader.position()));
    minute.add(last - first);
    out.prompt_tokens += prompt;
    out.prompt_square += prompt * prompt;
    out.longest_context = std::max(out.longest_context, tokens);
  }
  out.mix = mix.mix();
  out.requests = static_cast<double>(reader.requests());
  out.prompt_tokens /= out.requests;
  out.prompt_square /= out.requests;
  out.prompt_lengths = equally_likely(prompts);
  out.span_s = last - first;
  out.busiest = window.window();
  out.busiest.busiest_minute = minute.rate();
  out.text = fmt::format("{} request{}", reader.requests(), reader.requests() == 1 ? "" : "s");
  if (reader.without_output() > 0)
    out.text += fmt::format(" ({} without output left out)", reader.without_output());
  return out;
}

void read_trace_into(const Section& in, const std::string& file, Traffic& traffic) {
  for (const char* key : {"prompt", "output"}) {
    if (in.has(key)) in.fail(key, "the lengths come from 'trace'; give one or the other");
  }
  const std::filesystem::path given = in.text("trace");
  const std::filesystem::path path =
      given.is_absolute() ? given : std::filesystem::path(file).parent_path() / given;
  const TraceFigures trace = named_at(in.place("trace"), [&] { return figures_of(path); });
  traffic.trace = path.string();
  traffic.mix = trace.mix;
  traffic.prompt_tokens = trace.prompt_tokens;
  traffic.prompt_square = trace.prompt_square;
  traffic.prompt_lengths = trace.prompt_lengths;
  traffic.longest_context = trace.longest_context;
  traffic.busiest = trace.busiest;
  traffic.origin = fmt::format("{}, {}", given.string(), trace.text);
  if (trace.span_s > 0) traffic.busiest.requests_per_s = (trace.requests - 1) / trace.span_s;
  if (in.has("requests_per_second")) return;
  if (!(trace.span_s > 0)) {
    in.fail("trace", "its requests span no time; say requests_per_second too");
  }
  traffic.requests_per_s = traffic.busiest.requests_per_s;
  if (traffic.requests_per_s < least_rate || traffic.requests_per_s > most_rate) {
    in.fail("trace", fmt::format("expected from {} to {} requests a second, got {:.4g}", least_rate,
                                 most_rate, traffic.requests_per_s));
  }
}

Traffic read_traffic(const Section& root, const std::string& file) {
  const Section in = root.child("traffic", {"requests_per_second", "peak_factor", "peak_hours",
                                            "prompt", "output", "trace", "prefix_hit_rate"});
  Traffic traffic;
  if (in.has("requests_per_second") || !in.has("trace"))
    traffic.requests_per_s = in.real("requests_per_second", least_rate, most_rate);
  if (in.has("peak_factor")) traffic.peak_factor = in.real("peak_factor", 1, 1000);
  if (in.has("prefix_hit_rate")) traffic.prefix_hit_rate = in.real("prefix_hit_rate", 0, 1);
  if (in.has("peak_hours")) traffic.peak_hours = in.real("peak_hours", 0.01, 24);
  if (traffic.peak_factor * traffic.peak_hours > 24 && in.has("peak_hours")) {
    in.fail("peak_hours",
            fmt::format("{} hours at {} times the mean rate are more than a day's requests",
                        traffic.peak_hours, traffic.peak_factor));
  }
  if (in.has("trace")) {
    read_trace_into(in, file, traffic);
    return traffic;
  }
  const Lengths prompt = read_lengths(in, "prompt"), output = read_lengths(in, "output");
  traffic.prompt = prompt.law;
  traffic.output = output.law;
  traffic.prompt_tokens = prompt.moments.first;
  traffic.prompt_square = prompt.moments.second;
  traffic.prompt_lengths = equally_likely(prompt.law);
  traffic.mix = mix_of(prompt.moments, output.moments);
  if (prompt.longest > 0 && output.longest > 0)
    traffic.longest_context = prompt.longest + output.longest;
  traffic.origin = fmt::format("prompts {}, outputs {}", prompt.text, output.text);
  return traffic;
}

Target read_target(const Section& root, const Traffic& traffic) {
  const Section in = root.child("target", {"tpot", "ttft", "percentile", "headroom", "spares"});
  Target target;
  target.tpot = in.quantity<Dimension{.time = 1}>("tpot");
  if (target.tpot <= Seconds(0)) in.fail("tpot", "expected more than zero");
  if (in.has("ttft")) {
    target.ttft = in.quantity<Dimension{.time = 1}>("ttft");
    if (*target.ttft <= Seconds(0)) in.fail("ttft", "expected more than zero");
    if (!has_prompts(traffic)) in.fail("ttft", "has no effect: a cache holds every prompt whole");
  }
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

}  // namespace

double off_peak_rate(const Traffic& t) {
  if (t.peak_hours >= 24) return peak_rate(t);
  return std::max(0.0, (24 * t.requests_per_s - t.peak_hours * peak_rate(t)) / (24 - t.peak_hours));
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
  workload.target = read_target(root, workload.traffic);
  workload.offers = read_offers(root, file);
  return workload;
}

}  // namespace afford
