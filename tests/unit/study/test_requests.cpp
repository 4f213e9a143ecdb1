// Requests as programs write them: what no flag can say is refused all the same.
#include <doctest/doctest.h>

#include <functional>
#include <limits>

#include "afford.hpp"

using namespace afford;

namespace {

study::IdealRequest ideal() {
  study::IdealRequest request;
  request.models = {"step-3"};
  request.chips = {"h800"};
  request.contexts = {8192};
  return request;
}

study::SimulationRequest simulation() {
  study::SimulationRequest request;
  request.models = {"step-3"};
  request.contexts = {4096};
  request.colocated = {.pool = {"h800", 4, 8}, .batch_per_gpu = 64};
  return request;
}

study::FrontierRequest frontier() {
  study::FrontierRequest request;
  request.models = {"step-3"};
  request.contexts = {4096};
  request.chips = {"h800"};
  request.max_gpus = 16;
  return request;
}

/// What running the request comes to, once it is spoilt.
template <class Request>
std::string told(Request request, const std::function<void(Request&)>& spoil,
                 const std::function<void(const Request&)>& run) {
  spoil(request);
  try {
    run(request);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "answered";
}

std::string of_ideal(const std::function<void(study::IdealRequest&)>& spoil) {
  return told<study::IdealRequest>(ideal(), spoil, [](const auto& r) { (void)load(r); });
}
std::string of_simulation(const std::function<void(study::SimulationRequest&)>& spoil) {
  return told<study::SimulationRequest>(simulation(), spoil,
                                        [](const auto& r) { (void)study::simulations(r); });
}
std::string of_frontier(const std::function<void(study::FrontierRequest&)>& spoil) {
  return told<study::FrontierRequest>(frontier(), spoil,
                                      [](const auto& r) { (void)study::frontier_cases(r); });
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("requests: models, chips and contexts must be named, and hold tokens") {
    CHECK(of_ideal([](auto&) {}) == "answered");
    CHECK(of_ideal([](auto& r) { r.models.clear(); }) == "model: expected at least one name");
    CHECK(of_ideal([](auto& r) { r.chips.clear(); }) == "hardware: expected at least one name");
    CHECK(of_ideal([](auto& r) { r.contexts.clear(); }) == "context: expected at least one");
    CHECK(of_ideal([](auto& r) {
            r.contexts = {4096, -1};
          }) == "context: expected 1 to 1000000000, got -1");
    CHECK(of_simulation([](auto&) {}) == "answered");
    CHECK(of_simulation([](auto& r) { r.contexts = {0}; }) ==
          "context: expected 1 to 1000000000, got 0");
    CHECK(of_simulation([](auto& r) { r.colocated.reset(); }) == "simulate needs a deployment");
    CHECK(of_frontier([](auto&) {}) == "answered");
    CHECK(of_frontier([](auto& r) { r.contexts.clear(); }) == "context: expected at least one");
  }

  TEST_CASE("requests: prices, shares and limits must be possible") {
    CHECK(of_ideal([](auto& r) {
            r.what_if.prices = {{"h800", UsdRate(-1), "", "given"}};
          }) == "price: expected more than zero for h800");
    CHECK(of_ideal([](auto& r) {
            r.what_if.owned = {{"h800", Usd(30000), 0}};
          }) == "own: expected a cost and years above zero for h800");
    CHECK(of_ideal([](auto& r) { r.what_if.pue = 0.5; }) ==
          "pue: expected a number from 1 to 10, got 0.5");
    CHECK(of_ideal([](auto& r) { r.what_if.speculation = {.drafts = 17, .acceptance = 0.5}; }) ==
          "drafts: expected a number of draft tokens from 0 to 16, got 17");
    CHECK(of_simulation([](auto& r) { r.tpot_limit = Seconds(0); }) ==
          "tpot: expected more than zero");
    CHECK(of_simulation([](auto& r) { r.memory_fraction = 1.5; }) ==
          "memory fraction: expected more than 0 and at most 1, got 1.5");
    CHECK(of_simulation([](auto& r) { r.colocated->batch_per_gpu = -1; }).starts_with("batch"));
    CHECK(of_frontier([](auto& r) { r.max_gpus = 0; }) == "max gpus: expected 1 to 4096, got 0");
  }

  TEST_CASE("requests: a typed request and the words of a command line have one answer") {
    const Answer asked = ask({"cost", "-m", "step-3", "--on", "h800", "-c", "8k"});
    REQUIRE(asked.table);
    const study::IdealInputs inputs = load(ideal());
    CHECK(render(table_of(cost_record(), study::costs(inputs)), Format::csv) ==
          render(*asked.table, Format::csv));
    CHECK(asked.table->rows.size() == 1);
  }

  TEST_CASE("ask: a verb with named values has the answer of the same words") {
    const auto same = [](const Answer& by_name, const Answer& by_words) {
      CHECK(by_name.status == by_words.status);
      CHECK(by_name.said == by_words.said);
      CHECK(by_name.text == by_words.text);
      REQUIRE(by_name.table.has_value() == by_words.table.has_value());
      if (by_name.table)
        CHECK(render(*by_name.table, Format::csv) == render(*by_words.table, Format::csv));
    };
    const std::vector<std::string> models{"step-3", "kimi-k2"};
    same(ask("cost", {{"model", models}, {"on", "h800,h20"}, {"context", 8192}}),
         ask({"cost", "-m", "step-3,kimi-k2", "--on", "h800", "--on", "h20", "-c", "8k"}));
    same(ask("simulate", {{"model", "step-3"},
                          {"colocated", "h800:1x8"},
                          {"batch", 768},
                          {"memory-fraction", 0.85},
                          {"set", std::vector<std::string>{"h800.memory.bandwidth=3 TB/s"}},
                          {"timeline", false},
                          {"explain", true}}),
         ask({"simulate", "-m", "step-3", "--colocated", "h800:1x8", "--batch", "768",
              "--memory-fraction", "0.85", "--set", "h800.memory.bandwidth=3 TB/s", "--explain"}));
    same(ask("show", {{"name", "h800"}}), ask({"show", "h800"}));
    same(ask("explore", {{"command", std::vector<std::string>{"cost", "-m", "step-33"}},
                         {"output", "page.html"}}),
         ask({"explore", "-o", "page.html", "cost", "-m", "step-33"}));
  }

  TEST_CASE("ask: operations and events of a deployment are tables beside its row") {
    const Answer answer = ask("simulate", {{"model", "step-3"},
                                           {"attention", "h800:2x8"},
                                           {"ffn", "h800:2x8"},
                                           {"batch", 3072},
                                           {"timeline", true},
                                           {"explain", true}});
    REQUIRE(answer.details.size() == 2);
    const auto at = [](const Table& table, const auto& row, std::string_view key) {
      for (size_t i = 0; i < row.size(); ++i)
        if (table.columns[i].key == key) return row[i];
      throw std::out_of_range("no such column");
    };
    const Table &all = *answer.table, &operations = answer.details.at("operations"),
                &events = answer.details.at("events");
    double attention = 0;
    for (const auto& row : operations.rows) {
      CHECK(at(operations, row, "row") == Cell(std::int64_t{0}));
      const bool counts = at(operations, row, "stage") == Cell("attention") &&
                          at(operations, row, "hidden") == Cell("no");
      if (counts) attention += std::get<double>(at(operations, row, "time_us"));
      const std::string name = std::get<std::string>(at(operations, row, "operation"));
      CHECK(answer.text.find("    " + name + " ") != std::string::npos);
    }
    CHECK(attention ==
          doctest::Approx(std::get<double>(at(all, all.rows.front(), "attention_us"))));
    double first = 1, last = 0;
    for (const auto& row : events.rows) {
      first = std::min(first, std::get<double>(at(events, row, "start_us")));
      last = std::max(last, std::get<double>(at(events, row, "end_us")));
    }
    CHECK(first == 0);
    CHECK(last > 1000 * 20);
    CHECK(ask("cost", {{"model", "step-3"}}).details.empty());
  }

  TEST_CASE("ask: what is wrong with a value is said as of a flag") {
    const auto said = [](std::string_view verb, const Values& values) {
      const Answer answer = ask(verb, values);
      CHECK(answer.status == Answer::bad_input);
      CHECK(!answer.table);
      return answer.said;
    };
    const std::vector<std::string> two{"a", "b"};
    const double none = std::numeric_limits<double>::quiet_NaN();
    CHECK(said("cots", {}) == "afford: no verb 'cots'; did you mean 'cost'?\n");
    CHECK(said("", {}).starts_with("afford: no verb ''"));
    CHECK(said("cost", {{"modle", "step-3"}}) ==
          "afford: afford cost has no option '--modle'; did you mean '--model'?\n");
    CHECK(said("show", {}) == "afford: afford show: expected name\n");
    CHECK(said("show", {{"name", ""}}) == "afford: name: expected a value, got an empty one\n");
    CHECK(said("cost", {{"model", true}}) == "afford: --model: expected a value, got true\n");
    CHECK(said("cost", {{"kv-dtype", two}}) ==
          "afford: --kv-dtype: given more than once; expected one value\n");
    CHECK(said("cost", {{"kv-dtype", ""}}) ==
          "afford: --kv-dtype: expected a value, got an empty one\n");
    CHECK(said("cost", {{"explain", "yes"}}) == "afford: --explain: takes no value, got 'yes'\n");
    CHECK(said("cost", {{"mtp", 1.5}}) == "afford: --mtp: expected a whole number, got '1.5'\n");
    CHECK(said("cost", {{"mtp", std::int64_t{1} << 40}}) ==
          "afford: --mtp: expected a whole number of at most 1000000000, got '1099511627776'\n");
    CHECK(said("cost", {{"acceptance", none}}) ==
          "afford: --acceptance: expected a number, got 'nan'\n");
    CHECK(said("cost", {{"model", "step\n3"}}).starts_with("afford: expected words of UTF-8"));
    CHECK(said("simulate", {{"trace", "x.csv"}, {"routing", "x.csv"}}) ==
          ask({"simulate", "--trace", "x.csv", "--routing", "x.csv"}).said);
  }
}
