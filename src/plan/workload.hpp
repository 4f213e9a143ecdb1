#pragma once
// What is to be served, how fast, and what may be rented: the workload file of `afford plan`.

#include <optional>
#include <string>
#include <vector>

#include "error.hpp"
#include "plan/lengths.hpp"
#include "traffic/arrivals.hpp"
#include "units.hpp"
#include "yaml/document.hpp"

namespace afford {

/// The part of a trace in which requests come fastest.
struct TraceWindow {
  LinePosition start;         // of its first request
  std::int64_t requests = 0;  // in it
  double requests_per_s = 0;  // of the whole trace
  double busiest_minute = 0;  // requests a second in it, of whole minutes from the first request on
};

struct Traffic {
  double requests_per_s = 0;  // mean over the month
  double peak_factor = 1;     // of the rate in the peak hours
  double peak_hours = 24;     // a day; in the others the rate is what leaves the mean
  StationaryMix mix;
  double longest_context = 0;  // of any request, where it is known; 0: not
  std::string trace;           // the file; empty: lengths follow these laws
  TraceWindow busiest;         // of the trace
  LengthLaw prompt, output;
  double prompt_tokens = 0, prompt_square = 0;  // means of a prompt's length and of its square
  std::vector<double> prompt_lengths;           // equally likely ones, ascending
  double prefix_hit_rate = 0;  // share of a prompt's tokens that a cache of prefixes holds
  std::string origin;          // "trace.csv, 1200 requests", "lognormal prompts ..."
};
[[nodiscard]] inline double peak_rate(const Traffic& t) { return t.requests_per_s * t.peak_factor; }
/// Whether there are prompts to work off.
[[nodiscard]] inline bool has_prompts(const Traffic& t) {
  return t.prompt_tokens > 0 && t.prefix_hit_rate < 1;
}
[[nodiscard]] double off_peak_rate(const Traffic& traffic);

struct Target {
  Seconds tpot{0.050};
  double percentile = 0.99;     // of the tokens that meet it, in the peak hours
  double headroom = 0;          // share of the capacity left free
  int spares = 0;               // instances of each deployment beyond what the traffic needs
  std::optional<Seconds> ttft;  // that `percentile` of the requests of the peak hours meet
};

/// One way to pay for a chip. Reserved accelerators are paid all month, those on demand while they
/// run.
struct Contract {
  bool reserved = false;
  UsdRate price;
  std::optional<std::int64_t> limit;  // accelerators
};

struct Offer {
  std::string chip;
  Place at;                           // of its name
  std::optional<std::int64_t> limit;  // accelerators, over all contracts
  std::vector<Contract> contracts;    // empty: on demand at the price of the chip's file
};

struct Workload {
  std::string name, file;
  std::string model;  // empty: given on the command line
  Place model_at;
  Traffic traffic;
  Target target;
  std::vector<Offer> offers;  // empty: chips given on the command line
};

/// Reads and checks a workload and the trace it names. Throws InputError.
[[nodiscard]] Workload read_workload(const yaml::Node& root, const std::string& file);

}  // namespace afford
