#include <doctest/doctest.h>
#include <fmt/format.h>

#include "error.hpp"
#include "plan/workload.hpp"
#include "support.hpp"
#include "traffic/trace.hpp"

using namespace afford;

namespace {

struct Read {
  std::vector<Request> requests;
  std::int64_t without_output = 0;
  std::string format;
  std::string error;  // its file name shortened
};

Read read_as(const std::string& content, const std::string& name = "t.csv") {
  const test::TempFolder folder;
  const std::string file = folder.file(name, content);
  Read out;
  try {
    TraceReader reader(file);
    out.format = reader.format();
    while (std::optional<Request> request = reader.next()) out.requests.push_back(*request);
    out.without_output = reader.without_output();
  } catch (const InputError& error) {
    out.error = std::string(error.what()).substr(file.size() - name.size());
  }
  return out;
}

std::string error_of(const std::string& content) {
  const Read read = read_as(content);
  return read.error.empty() ? "no error" : read.error;
}

constexpr std::string_view own = "arrival_s,prompt_tokens,output_tokens\n";

std::string of_own(std::string_view rows) { return error_of(std::string(own).append(rows)); }

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("a trace is recognised as it is published") {
    struct Case {
      const char* format;
      const char* text;
      double second_arrival;
    };
    const Case cases[] = {
        {"afford", "arrival_s,prompt_tokens,output_tokens\n1,512,40\n1.35,2048,12\n", 1.35},
        {"Azure",
         "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,512,40\n"
         "2023-11-16 18:17:04.3299600,2048,12\n",
         0.35},
        {"Azure",
         "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2024-05-10 23:59:59.500000+00:00,512,40\r\n"
         "2024-05-11 02:00:00+02:00,2048,12\r\n",
         0.5},
        {"BurstGPT",
         "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
         "5,ChatGPT,512,40,552,Conversation log\n45,GPT-4,2048,12,2060,API log\n",
         45},
        {"Vidur", "arrived_at,num_prefill_tokens,num_decode_tokens\n0.0,512,40\n0.35,2048,12\n",
         0.35},
        {"Splitwise",
         "request_id,request_type,application_id,arrival_timestamp,batch_size,prompt_size,token_"
         "size\n0,2,0,0.0,1,512,40\n1,2,0,0.35,1,2048,12\n",
         0.35},
        {"Mooncake",
         "{\"timestamp\": 0, \"input_length\": 512, \"output_length\": 40, \"hash_ids\": [7]}\n"
         "{\"timestamp\": 350, \"input_length\": 2048, \"output_length\": 12}\n",
         0.35}};
    for (const Case& c : cases) {
      CAPTURE(c.format);
      const Read read = read_as(c.text);
      CHECK(read.error == "");
      CHECK(read.format == c.format);
      REQUIRE(read.requests.size() == 2);
      CHECK(read.requests[0].prompt_tokens == 512);
      CHECK(read.requests[0].output_tokens == 40);
      CHECK(read.requests[1].arrival_s == doctest::Approx(c.second_arrival).epsilon(1e-9));
      CHECK(read.requests[1].prompt_tokens == 2048);
      CHECK(read.requests[1].output_tokens == 12);
      const bool blocks = std::string_view(c.format) == "Mooncake";
      CHECK(read.requests[0].blocks ==
            (blocks ? std::vector<std::int64_t>{7} : std::vector<std::int64_t>{}));
    }
  }

  TEST_CASE("rows without output are counted and left out, empty lines and a mark passed over") {
    const Read read = read_as(
        "\xEF\xBB\xBFTimestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\r\n"
        "\r\n5,GPT-4,0,0,0,API log\r\n5,GPT-4,300,0,300,API log\r\n6,GPT-4,10,1,11,API log");
    CHECK(read.error == "");
    CHECK(read.without_output == 2);
    REQUIRE(read.requests.size() == 1);
    CHECK(read.requests[0].arrival_s == 6);
  }

  TEST_CASE("a plan says what of a trace it left out") {
    const test::TempFolder folder;
    folder.file("t.csv", "Timestamp,Request tokens,Response tokens\n0,9,1\n1,9,0\n2,9,1\n");
    const std::string file = folder.file(
        "w.yaml",
        "schema: 1\nname: w\ntraffic: {trace: t.csv}\ntarget: {tpot: 50 ms, percentile: 99}\n");
    const Workload workload = read_workload(yaml::parse_file(file), file);
    CHECK(workload.traffic.origin == "t.csv, 2 requests (1 without output left out)");
    CHECK(workload.traffic.requests_per_s == doctest::Approx(0.5));
  }

  TEST_CASE("a long trace is read in pieces") {
    std::string text(own);
    const int rows = 40'000;
    for (int i = 0; i < rows; ++i) text += std::to_string(i) + ",1000,1\n";
    const Read read = read_as(text);
    REQUIRE(read.requests.size() == rows);
    CHECK(read.requests.back().arrival_s == rows - 1);
    CHECK(error_of(text + "x,1,1\n") ==
          "t.csv:40002:1: arrival_s: expected seconds from 0 to 1e+10, got 'x'");
  }
}

TEST_SUITE("errors") {
  TEST_CASE("a trace is read on from any of its requests, as if all before were read too") {
    const std::string texts[] = {
        std::string(own) + "1,10,1\n2,20,0\n\n3,30,3\n\"4\",40,4\n5,50,5\n",
        "\xEF\xBB\xBFTIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:17:03.5,5,0\r\n"
        "2023-11-16 18:17:04,6,1\r\n2023-11-16 18:17:09.25,7,2\r\n",
        "{\"timestamp\": 1, \"input_length\": 9, \"output_length\": 1}\n"
        "{\"timestamp\": 20, \"input_length\": 8, \"output_length\": 2, \"hash_ids\": [4]}\n"};
    for (const std::string& text : texts) {
      const test::TempFolder folder;
      const std::string file = folder.file("t", text);
      std::vector<Request> all;
      std::vector<LinePosition> positions;
      TraceReader reader(file);
      positions.push_back(reader.position());
      while (const std::optional<Request> request = reader.next()) {
        all.push_back(*request);
        positions.push_back(reader.position());
      }
      REQUIRE(all.size() >= 2);
      for (size_t i = 0; i < all.size(); ++i) {
        const RequestSource rest = trace_source(file, positions[i]);
        for (size_t j = i; j < all.size(); ++j) {
          const std::optional<Request> request = rest();
          REQUIRE(request);
          CHECK(request->arrival_s == all[j].arrival_s);
          CHECK(request->prompt_tokens == all[j].prompt_tokens);
          CHECK(request->output_tokens == all[j].output_tokens);
          CHECK(request->blocks == all[j].blocks);
        }
        CHECK_FALSE(rest());
      }
    }
  }

  TEST_CASE("a plan replays the part of a trace where requests come fastest") {
    const test::TempFolder folder;
    std::string text(own);
    double now = 0;
    int number = 0;
    const auto add = [&](int requests, double gap) {
      for (int i = 0; i < requests; ++i, ++number)
        text += fmt::format("{:.3f},{},5\n", now += gap, 1 + number);
    };
    add(30'000, 0.2);
    add(60'000, 0.1);
    add(40'000, 0.2);
    (void)folder.file("t.csv", text);
    const std::string file = folder.file(
        "w.yaml", "schema: 1\nname: w\ntraffic: {trace: t.csv}\ntarget: {tpot: 50 ms}\n");
    const Traffic traffic = read_workload(yaml::parse_file(file), file).traffic;
    CHECK(traffic.busiest.requests == 50'000);
    const std::optional<Request> first = trace_source(traffic.trace, traffic.busiest.start)();
    REQUIRE(first);
    // The earliest of the densest windows: its first request still comes after the longer gap.
    CHECK(first->prompt_tokens == 30'000);
  }

  TEST_CASE("traces: every mistake has its place") {
    CHECK(of_own("0,10,20\n0.5,10,20\n") == "no error");
    CHECK(of_own("\"0\",10,20\r\n\r\n0.5,10,20") == "no error");
    CHECK(of_own("") == "t.csv:2:1: expected at least one request");
    CHECK(of_own("1,10,20\n0.5,10,20\n") ==
          "t.csv:3:1: arrival_s: 0.5 is before the line above (1); sort the trace");
    CHECK(of_own("nan,10,20\n") ==
          "t.csv:2:1: arrival_s: expected seconds from 0 to 1e+10, got 'nan'");
    CHECK(of_own("-1,10,20\n") ==
          "t.csv:2:1: arrival_s: expected seconds from 0 to 1e+10, got '-1'");
    CHECK(of_own("1,10,-20\n") ==
          "t.csv:2:6: output_tokens: expected a whole number of tokens, at least 0, got '-20'");
    CHECK(of_own("1,1e3,20\n") ==
          "t.csv:2:3: prompt_tokens: expected a whole number of tokens, at least 1, got '1e3'");
    CHECK(of_own("1,0,20\n") ==
          "t.csv:2:3: prompt_tokens: expected a whole number of tokens, at least 1, got '0'");
    CHECK(of_own("1,10\n") ==
          "t.csv:2:1: expected 3 fields (arrival_s,prompt_tokens,output_tokens), got 2");
    CHECK(of_own("\n1,\"10,20\n") == "t.csv:3:3: a quote is opened and not closed");
    CHECK(of_own("1,1\"0,20\n") ==
          "t.csv:2:4: a quote inside a field that does not start with one");
    CHECK(of_own("1,10,20\n2,\x01,20\n") ==
          "t.csv:3:3: expected text, got the control character \\x01");
    CHECK(of_own("1,10,0\n") ==
          "t.csv: expected at least one request with output; the 1 of it have none");
    CHECK(of_own(std::string(3'000'000, '1')) == "t.csv:2:1: a line of more than 1 MiB");
  }

  TEST_CASE("traces: what is none of them") {
    constexpr std::string_view expected =
        "t.csv:1:1: expected the header 'arrival_s,prompt_tokens,output_tokens', or a trace of "
        "Azure, BurstGPT, Vidur, Splitwise or Mooncake, got ";
    CHECK(error_of("") == std::string(expected) + "''");
    CHECK(error_of("time,in,out\n") == std::string(expected) + "'time,in,out'");
    CHECK(error_of("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-02-30 18:17:03,1,1\n") ==
          "t.csv:2:1: TIMESTAMP: expected a time such as 2023-11-16 18:17:03.98, got "
          "'2023-02-30 18:17:03'");
    CHECK(error_of("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03,1,1\n"
                   "2023-11-16 18:17:02,1,1\n") ==
          "t.csv:3:1: TIMESTAMP: -1 is before the line above (0); sort the trace");
  }

  TEST_CASE("traces: JSON lines") {
    CHECK(error_of("{\"timestamp\": 0, \"input_length\": 6}\n") ==
          "t.csv:1:1: expected the keys timestamp, input_length and output_length of a Mooncake "
          "trace; 'output_length' is missing");
    const std::string good = "{\"timestamp\": 0, \"input_length\": 6, \"output_length\": 1}\n";
    CHECK(error_of(good + "{\"timestamp\": \"0\", \"input_length\": 6, \"output_length\": 1}\n") ==
          "t.csv:2:15: timestamp: expected milliseconds from 0 to 1e+13, got '0'");
    CHECK(error_of(good + "{\"timestamp\": 0, \"input_length\": 0, \"output_length\": 1}\n") ==
          "t.csv:2:34: input_length: expected a whole number of tokens, at least 1, got 0");
    CHECK(error_of(good +
                   "{\"timestamp\": 0, \"input_length\": 6, \"output_length\": 1, \"hash_ids\": "
                   "[2.5]}\n") == "t.csv:2:70: hash_ids: expected whole numbers, got 2.5");
    CHECK(error_of(good +
                   "{\"timestamp\": 0, \"input_length\": 512, \"output_length\": 1, \"hash_ids\": "
                   "[1, 2]}\n") ==
          "t.csv:2:71: hash_ids: expected at most 1 for 512 tokens in blocks of 512, got 2");
    CHECK(error_of(good + "\n{\"timestamp\": 0,\n").starts_with("t.csv:3:17: not valid JSON"));
  }
}
