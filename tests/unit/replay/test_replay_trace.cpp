#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "records/replay_trace.hpp"

using namespace afford;

namespace {

Outcome outcome(double asked, double begun, double first_token, double end) {
  return {.asked = Seconds(asked),
          .begun = Seconds(begun),
          .first_token = Seconds(first_token),
          .end = Seconds(end),
          .prompt = 100,
          .output = 7,
          .cached = 30};
}

struct Slices {
  std::map<std::pair<int, int>, std::vector<nlohmann::json>> of_track;  // instance, track
  std::vector<std::string> names;
};

Slices slices_of(const nlohmann::json& trace) {
  Slices all;
  for (const auto& event : trace["traceEvents"]) {
    if (event["ph"] != "X") continue;
    all.of_track[{event["pid"], event["tid"]}].push_back(event);
    all.names.push_back(event["name"]);
  }
  return all;
}

}  // namespace

TEST_CASE("replay trace: requests in three parts, no two on a track at a time") {
  std::string text;
  ReplayTrace trace([&](std::string_view piece) { text += piece; });
  trace.add(outcome(1, 1, 3, 4), 0);  // waits for nothing
  trace.add(outcome(0, 1, 2, 5), 0);  // beside it
  trace.add(outcome(4, 4.5, 5, 7), 1);
  trace.add(outcome(5, 5, 5.5, 7), 0);  // behind either: on the track that was free last
  study::ReplayRow row;
  row.instances = 2;
  row.replayed.series.add(Seconds(2), Seconds(1),
                          {.in_flight = 3, .waiting = 2, .memory = 0.5, .tokens = 40});
  trace.finish(row);
  const auto json = nlohmann::json::parse(text);
  const Slices slices = slices_of(json);
  CHECK(slices.names == std::vector<std::string>{"prompt", "decode", "waits", "prompt", "decode",
                                                 "waits", "prompt", "decode", "prompt", "decode"});
  CHECK(slices.of_track.size() == 3);
  CHECK(slices.of_track.at({0, 1}).size() == 5);
  for (const auto& [place, events] : slices.of_track) {
    for (size_t i = 1; i < events.size(); ++i) {
      const double before = events[i - 1]["ts"].get<double>() + events[i - 1]["dur"].get<double>();
      CHECK(before <= events[i]["ts"].get<double>());
    }
  }
  const auto& decode = slices.of_track.at({0, 0}).back();
  CHECK(decode["ts"] == 3e6);
  CHECK(decode["dur"] == 1e6);
  CHECK(decode["args"] ==
        nlohmann::json{{"prompt_tokens", 100}, {"cached_tokens", 30}, {"output_tokens", 7}});
  const auto memory =
      std::find_if(json["traceEvents"].begin(), json["traceEvents"].end(),
                   [](const auto& e) { return e["name"] == "memory for caches, %"; });
  REQUIRE(memory != json["traceEvents"].end());
  CHECK((*memory)["ts"] == 2e6);
  CHECK((*memory)["pid"] == 2);
  CHECK((*memory)["args"]["value"] == 25);
}

TEST_CASE("replay trace: many requests that overlap take as many tracks as overlap at most") {
  std::string text;
  ReplayTrace trace([&](std::string_view piece) { text += piece; });
  for (int i = 0; i < 200; ++i) trace.add(outcome(i, i, i + 1, i + 3.5), 0);
  trace.finish({});
  CHECK(slices_of(nlohmann::json::parse(text)).of_track.size() == 4);
}
