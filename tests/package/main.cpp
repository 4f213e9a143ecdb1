// A program of somebody else's, with afford as a library: typed requests in, typed results out,
// each written as the CSV that the program afford prints (package.sh compares them).
//
//   outside VERB [WORKLOAD.yaml]

#include <afford/afford.hpp>
#include <cstdio>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>

namespace {

using namespace afford::study;

std::string csv(const afford::Table& table) { return afford::render(table, afford::Format::csv); }

IdealRequest ideal() {
  IdealRequest request;
  request.models = {"step-3"};
  request.chips = {"h800", "h20"};
  request.contexts = {8192};
  request.what_if.prices = {{.chip = "h800", .rate = 1.6 * afford::usd_per_hour}};
  return request;
}

std::string cost() {
  const IdealInputs inputs = load(ideal());
  return csv(afford::table_of(afford::cost_record(), costs(inputs)));
}

std::string compare() {
  const IdealInputs inputs = load(ideal());
  return csv(afford::table_of(afford::comparison_record(), comparisons(inputs)));
}

std::string simulate() {
  SimulationRequest request;
  request.models = {"step-3"};
  request.contexts = {4096};
  request.afd = {.attention = {"h800", 2, 8}, .ffn = {"h800", 2, 8}, .batch = 3072};
  const Simulations answer = simulations(request);
  const double tpot_ms = answer.rows.at(0).served.tpot / afford::millisecond;
  if (!(tpot_ms > 1 && tpot_ms < 1000)) throw std::runtime_error("a TPOT out of all reason");
  return csv(afford::table_of(afford::simulation_record({}), answer.rows));
}

std::string pareto() {
  FrontierRequest request;
  request.models = {"step-3"};
  request.chips = {"h800"};
  request.contexts = {8192};
  request.max_gpus = 32;
  const std::vector<FrontierCase> cases = frontier_cases(request);
  std::uint64_t tried = 0;
  const Frontiers found = frontiers(
      request, cases, {.finished = [&](std::uint64_t candidates) { tried += candidates; }});
  if (tried != candidates_of(cases)) throw std::runtime_error("not every candidate was tried");
  return csv(afford::table_of(afford::frontier_record(request), found.results.at(0).points));
}

std::string plan(const std::string& workload) {
  RentalRequest request;
  request.chips.clear();  // the workload's
  request.max_gpus = 16;
  request.workload_file = workload;
  const Rentals answer = rentals(request);
  return csv(afford::table_of(afford::rental_record({}), answer.rows));
}

/// A misspelt name is told in one line, by whatever way one asks.
void misspelt() {
  const afford::Answer asked = afford::ask({"cost", "-m", "step-33"});
  if (asked.status != afford::Answer::bad_input || asked.table)
    throw std::runtime_error("answered");
  IdealRequest request = ideal();
  request.models = {"step-33"};
  try {
    (void)load(request);
  } catch (const afford::UsageError& error) {
    if (asked.said == std::string("afford: ") + error.what() + "\n") return;
  }
  throw std::runtime_error("not told as on the command line");
}

}  // namespace

int main(int count, char** words) {
  const std::string verb = count > 1 ? words[1] : "", workload = count > 2 ? words[2] : "";
  const std::map<std::string, std::function<std::string()>> verbs = {
      {"cost", cost},
      {"compare", compare},
      {"simulate", simulate},
      {"pareto", pareto},
      {"plan", [&] { return plan(workload); }}};
  try {
    misspelt();
    std::fputs(verbs.at(verb)().c_str(), stdout);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
