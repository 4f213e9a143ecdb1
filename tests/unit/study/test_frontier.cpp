#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "error.hpp"
#include "records/frontier.hpp"
#include "records/frontier_rows.hpp"
#include "records/outside.hpp"
#include "study/frontier.hpp"
#include "support.hpp"

using namespace afford;

namespace {

study::FrontierRequest small_search() {
  study::FrontierRequest request;
  request.models = {"qwen3-30b-a3b"};
  request.contexts = {8192};
  request.chips = {"h800"};
  request.calibration = "none";
  request.max_gpus = 16;
  request.batch_steps = 1;
  return request;
}

/// The files of a search in two parts.
std::vector<std::string> halves_of(study::FrontierRequest request,
                                   const Record<study::FrontierPoint>& record,
                                   const test::TempFolder& folder) {
  std::vector<std::string> files;
  for (const std::uint64_t part : {std::uint64_t{0}, std::uint64_t{1}}) {
    request.shard = {part, 2};
    const auto cases = study::frontier_cases(request);
    const study::Frontiers f = study::frontiers(request, cases, {});
    files.push_back(folder.file("part" + std::to_string(part) + ".csv",
                                render(table_of(record, f.results[0].points), Format::csv)));
  }
  return files;
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("study: a frontier has one winner, and rows with a cell for every column") {
    const study::FrontierRequest request = small_search();
    const auto cases = study::frontier_cases(request);
    const study::Frontiers f = study::frontiers(request, cases, {});
    REQUIRE(f.results.size() == 1);
    REQUIRE(f.results[0].winner.has_value());
    CHECK(f.complete);
    const auto record = frontier_record(study::SweepPoint());
    size_t winners = 0;
    for (const study::FrontierPoint& point : f.results[0].points) {
      winners += point.winner ? 1 : 0;
      CHECK(row_of(record, point).size() == record.size());
      CHECK(point.served.tokens.base() ==
            doctest::Approx(point.candidate.goals.tokens_per_gpu_s *
                            static_cast<double>(point.evaluation.gpus)));
    }
    CHECK(winners == 1);
  }

  TEST_CASE("study: a first look comes before the search, of fewer candidates than it has") {
    const study::FrontierRequest request = small_search();
    const auto cases = study::frontier_cases(request);
    std::vector<std::uint64_t> tried;
    study::FrontierHooks hooks;
    hooks.first = [&](const Found& found) {
      CHECK(tried.empty());
      CHECK(found_so_far(found).starts_with("best so far "));
      tried.push_back(found.tally.tried);
    };
    hooks.tried = [&](const Found& found) { tried.push_back(found.tally.tried); };
    const study::Frontiers f = study::frontiers(request, cases, hooks);
    REQUIRE(tried.size() > 1);
    CHECK(tried.back() == f.results[0].found.tally.tried);
    CHECK(found_so_far(Found()) == "nothing feasible so far");
    const Found &found = f.results[0].found, none;
    CHECK(ahead(found, none));
    CHECK(!ahead(none, found));
    CHECK(!ahead(found, found));
  }

  TEST_CASE("rows of everything that is tried are what the record says of each") {
    std::vector<study::FrontierRequest> requests(4, small_search());
    requests[0].ways = {Way::disaggregated, Way::expert_parallel, Way::tensor_parallel, Way::mixed};
    requests[1].requests = study::RequestsAsked{.prompt = 3000, .output = 1000};
    requests[2].engine = "step";
    requests[2].ways = {Way::disaggregated};
    requests[2].calibration = "";
    requests[2].chips = {"h800", "h20"};
    requests[2].places = {.router = AfdPool::ffn, .shared = {}, .dense = {}};
    requests[3].boundaries = {Boundary::core};
    requests[3].ways = {Way::disaggregated};
    for (study::FrontierRequest& request : requests) {
      request.threads = 1;
      const auto record = frontier_record(request);
      FrontierRows rows(request);
      std::int64_t written = 0, others = 0;
      study::FrontierHooks hooks;
      hooks.rows = 12;
      hooks.describe = [&](const study::FrontierPoint& p, std::string& out) {
        std::string row;
        rows.write(p, row);
        ++written;
        others += row == csv_row(row_of(record, p)) ? 0 : 1;
        out += row;
      };
      const auto cases = study::frontier_cases(request);
      (void)study::frontiers(request, cases, hooks);
      CHECK(written > 200);
      CHECK(others == 0);
    }
  }

  TEST_CASE("study: the best of the other way stands beside what to take") {
    const auto best_of = [](study::FrontierRequest request) {
      const auto cases = study::frontier_cases(request);
      const study::Frontiers f = study::frontiers(request, cases, {});
      const study::FrontierResult& result = f.results.at(0);
      return std::pair(result.points.at(*result.winner).candidate, notes_on(f, request, cases));
    };
    study::FrontierRequest request = small_search();
    request.ways = {Way::disaggregated, Way::expert_parallel};
    const auto [take, notes] = best_of(request);
    const bool afd = take.way == Way::disaggregated;
    request.ways = {afd ? Way::expert_parallel : Way::disaggregated};
    const Candidate other = best_of(request).first;
    const std::string said =
        fmt::format(" The best {}: {} (", afd ? "on one pool" : "AFD", label(other));
    const std::string speed = fmt::format(" {:.0f} tok/s/GPU", other.goals.tokens_per_gpu_s);
    CHECK(std::any_of(notes.begin(), notes.end(), [&](const std::string& note) {
      return note.find(said) != std::string::npos && note.find(speed) != std::string::npos;
    }));
  }

  TEST_CASE("study: why a label is not on the frontier") {
    using Kind = study::WhyNot::Kind;
    study::FrontierRequest request = small_search();
    const auto kind_of = [&](const std::string& label) {
      request.watch = label;
      const auto cases = study::frontier_cases(request);
      return study::why_not(study::frontiers(request, cases, {}).results.front(), label).kind;
    };
    CHECK(kind_of("9A9F") == Kind::not_in_space);
    const auto cases = study::frontier_cases(request);
    const auto outside = [&](const char* label) { return outside_reason(cases.front(), label); };
    CHECK(outside("9A9F") == "it takes 144 accelerators or more, --max-gpus is 16");
    CHECK(outside("EP32") == "it takes 32 accelerators or more, --max-gpus is 16");
    CHECK(outside("EP12") ==
          "EP is tried on 1, 2, 4 .. accelerators of a server and on whole servers");
    CHECK(outside("TP6") == "32 attention heads do not divide into 6");
    CHECK(outside("TP16") ==
          "TP is tried on 2, 4 .. accelerators of a server; --ways mixed lays it over several");
    CHECK(outside("TP8DP2+EP16") ==
          "chips, --max-gpus, --ways ... bound it; other layouts than AFD, EP and TP need --ways "
          "mixed");
    study::FrontierRequest larger = small_search();
    larger.max_gpus = 256;
    larger.ways = {Way::expert_parallel};
    const auto more = study::frontier_cases(larger);
    CHECK(outside_reason(more.front(), "EP256") ==
          "qwen3-30b-a3b has 128 experts, fewer than 256 accelerators");
    CHECK(outside_reason(more.front(), "1A1F") == "--ways leaves afd out");
    const study::Frontiers all = study::frontiers(request, cases, {});
    CHECK(kind_of(label(all.results[0].points.front().candidate)) == Kind::on_frontier);
    request.tpot_limit = Seconds(1e-6);
    CHECK(kind_of("1A1F") == Kind::too_slow);
  }

  TEST_CASE("study: AFD is cut at the core too where its engine can, unless it is said where") {
    const auto boundaries = [](const std::string& engine, std::vector<Boundary> asked) {
      study::FrontierRequest request = small_search();
      request.engine = engine;
      request.boundaries = std::move(asked);
      return study::frontier_cases(request).front().space.boundaries;
    };
    const std::vector<Boundary> one{Boundary::attention}, core{Boundary::core},
        both{Boundary::attention, Boundary::core};
    CHECK(boundaries("step", {}) == one);
    CHECK(boundaries("ideal", {}) == one);
    CHECK(boundaries("fastafd", {}) == both);
    CHECK(boundaries("step", core) == core);
    CHECK(boundaries("fastafd", one) == one);
  }

  // Kimi K3 on 16 B200 is a supported deployment (vllm-project/vllm-project.github.io#286:
  // attention tensor-parallel inside a server, experts over both).
  TEST_CASE("study: mixed layouts are searched too where nothing else is feasible") {
    study::FrontierRequest request;
    request.models = {"kimi-k3"};
    request.chips = {"b200"};
    request.contexts = {8192};
    request.max_gpus = 16;
    request.batch_steps = 1;
    request.tpot_limit = Seconds(0.2);
    const auto cases = study::frontier_cases(request);
    CHECK(cases.front().widened == true);
    const study::Frontiers found = study::frontiers(request, cases, {});
    CHECK(found.results.front().winner.has_value());
    request.tpot_limit = Seconds(1e-6);  // in vain
    CHECK(study::frontier_cases(request).front().widened == false);
    request.tpot_limit = Seconds(0.2);
    request.ways = {Way::expert_parallel};
    CHECK_FALSE(study::frontier_cases(request).front().widened.has_value());
    request.ways = {};
    request.models = {"step-3"};
    CHECK(study::frontier_cases(request).front().widened == false);
  }

  TEST_CASE("study: a wish to stop leaves the cases after it out") {
    study::FrontierRequest request = small_search();
    request.contexts = {4096, 8192};
    std::atomic<bool> stop = false;
    study::FrontierHooks hooks;
    hooks.stop = &stop;
    hooks.finished = [&](std::uint64_t) { stop = true; };
    const auto cases = study::frontier_cases(request);
    REQUIRE(cases.size() == 2);
    const study::Frontiers f = study::frontiers(request, cases, hooks);
    CHECK(f.results.size() == 1);
    CHECK_FALSE(f.complete);
  }

  TEST_CASE("study: parts merge to the frontier of the whole") {
    const test::TempFolder folder;
    study::FrontierRequest request = small_search();
    const auto record = frontier_record(study::SweepPoint());
    const std::vector<std::string> files = halves_of(request, record, folder);
    const auto cases = study::frontier_cases(request);
    const study::Frontiers whole = study::frontiers(request, cases, {});
    const study::Merged merged = study::merge(files);
    REQUIRE(merged.points.size() == whole.results[0].points.size());
    for (size_t i = 0; i < merged.points.size(); ++i) {
      CHECK(merged.points[i].goals.tpot_ms == whole.results[0].points[i].candidate.goals.tpot_ms);
      CHECK(merged.points[i].winner == whole.results[0].points[i].winner);
    }
    CHECK_THROWS_WITH_AS((void)study::merge({files[1]}),
                         "1 files for 2 parts; none has a row of 1/2", UsageError);
  }

  TEST_CASE("study: requests served whole: their context, their columns, and what merges") {
    const test::TempFolder folder;
    study::FrontierRequest request = small_search();
    request.requests = study::RequestsAsked{.prompt = 3000, .output = 1000};
    const auto whole_cases = study::frontier_cases(request);
    const study::Frontiers whole = study::frontiers(request, whole_cases, {});
    CHECK(whole_cases.front().setting.context == 3500);
    const std::vector<study::FrontierPoint>& points = whole.results.front().points;
    REQUIRE(points.size() > 3);
    const auto record = frontier_record(request);
    CHECK(record.size() == frontier_record(study::SweepPoint()).size() + prompt_columns().size());
    for (const study::FrontierPoint& point : points) {
      double accelerators = 0;
      const study::Served served = point.served;
      for (const study::ChipsUsed& used : served.chips) accelerators += used.accelerators;
      CHECK(served.tokens.base() ==
            doctest::Approx(point.candidate.goals.tokens_per_gpu_s * accelerators));
      CHECK(point.whole().tpot == point.evaluation.tpot);
    }
    const std::vector<std::string> files = halves_of(request, record, folder);
    const study::Merged merged = study::merge(files);
    REQUIRE(merged.points.size() == points.size());
    for (size_t i = 0; i < points.size(); ++i)
      CHECK(merged.points[i].goals.usd_per_mtok == points[i].candidate.goals.usd_per_mtok);
    // Another output makes another search.
    request.requests->output = 1001;
    CHECK(study::frontier_cases(request).front().search != whole_cases.front().search);
  }

  TEST_CASE("study: chips for prompts alone decode nothing, and are priced and named") {
    study::FrontierRequest request = small_search();
    request.requests = study::RequestsAsked{.prompt = 3000, .output = 1000};
    request.requests->prompt_chips = {"h20"};
    const auto cases = study::frontier_cases(request);
    const study::Frontiers found = study::frontiers(request, cases, {});
    REQUIRE(cases.front().chips->size() == 2);
    REQUIRE(cases.front().space.requests->pools.size() == 1);
    CHECK(cases.front().space.requests->pools[0].pool.pool.chip->name == "h20");
    REQUIRE(found.results.front().winner.has_value());
    for (const study::FrontierPoint& point : found.results.front().points) {
      CHECK(point.attention_chip().name == "h800");
      CHECK(point.ffn_chip().name == "h800");
    }
    request.requests->prompt_chips = {"h800"};
    CHECK(study::frontier_cases(request).front().chips->size() == 1);
    request.requests->ttft_limit = Seconds(1);  // larger pools may be what meets it
    CHECK(study::frontier_cases(request).front().space.requests->pools.size() == 2);
  }

  TEST_CASE("study: the bounds of a search have their ranges") {
    study::FrontierRequest request = small_search();
    request.max_gpus = 0;
    CHECK_THROWS_WITH_AS((void)study::frontier_cases(request),
                         "max gpus: expected 1 to 4096, got 0", ValueError);
    request = small_search();
    request.inventory = {{"h100", 8}};
    CHECK_THROWS_WITH_AS(
        (void)study::frontier_cases(request),
        "inventory: 'h100' is not among the chips of this run; did you mean 'h800'?", ValueError);
  }
}
